"""What Hive posts to a hook: the metadata of the client, here with the state that the chats keep."""

import json
from dataclasses import dataclass


class BadMetadata(Exception):
    """The body is not the metadata that Hive sends."""


@dataclass
class Metadata:
    sid: str
    connected_at: int  # when the session began, in ms since 1970
    event: tuple  # of two numbers: greater than those of the session's earlier events
    args: list  # of the event that the client sent
    nick: object  # str or None, as the session's state has it
    rooms: list

    @property
    def argument(self):
        """The one argument of the event, or None."""
        return self.args[0] if len(self.args) == 1 else None


def parse_metadata(body):
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadMetadata(f"not JSON: {error}") from error
    if not isinstance(data, dict):
        raise BadMetadata("not an object")
    sid, session, trigger, state = data.get("sid"), data.get("session"), data.get("trigger"), data.get("state") or {}
    if not isinstance(sid, str) or not sid or not sid.isprintable():
        raise BadMetadata("sid must be a non-empty, printable string")
    session = [session.get(name) for name in ("connected_at", "epoch", "event")] if isinstance(session, dict) else [None]
    if not all(type(number) is int for number in session):  # True is no number
        raise BadMetadata("session must have connected_at, epoch and event, which are integers")
    if trigger is not None and not isinstance(trigger, (dict, str)):
        raise BadMetadata("trigger must be an event, a string or null")
    if not isinstance(state, dict):
        raise BadMetadata("state must be an object")
    args = (trigger.get("args") or []) if isinstance(trigger, dict) else []
    nick, rooms = state.get("nick"), state.get("rooms") or []
    if not isinstance(args, list):
        raise BadMetadata("trigger.args must be an array")
    if nick is not None and not isinstance(nick, str):
        raise BadMetadata("state.nick must be a string or null")
    if not isinstance(rooms, list) or not all(isinstance(room, str) for room in rooms):
        raise BadMetadata("state.rooms must be an array of strings")
    return Metadata(sid, session[0], tuple(session[1:]), args, nick, rooms)
