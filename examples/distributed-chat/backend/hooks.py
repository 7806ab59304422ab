"""What the back end answers to Hive's hooks.

Each public method of Hooks is one endpoint: it gets the client's metadata and returns actions for the client to execute.
Hive drops the answers to `hp.put` hooks, so what such a method has to say to the client goes through the API.
"""

import logging

from actions import enter, leave, refused, send, store
from hive_api import ApiError
from rules import Refused, clean_id, clean_nick, clean_rooms, clean_text

log = logging.getLogger("hooks")


class Hooks:
    def __init__(self, chat, api):
        self._chat = chat
        self._api = api

    def authorize(self, metadata):
        """`authorize {nick, former}`: gives the nick to the session, if nobody alive has it but `former`.

        Who knows the id of that session is the same user, who could not return to it.
        """
        argument = metadata.argument if isinstance(metadata.argument, dict) else {"nick": metadata.argument}
        try:
            nick = clean_nick(argument.get("nick"))
            owner = self._chat.owner(nick)
            if owner not in (None, metadata.sid) and owner == argument.get("former"):
                self._publish(self._chat.evict(owner))
            else:
                self._evict_if_gone(owner, metadata.sid)
            self._chat.claim(metadata.sid, nick)
        except Refused as refusal:
            return [refused("authorize", refusal)]
        return [store(nick=nick), send("authorized", {"nick": nick})]

    def join(self, metadata):
        """`join_chat {chat: room or rooms}`: Hive has subscribed the client by now and waits for this answer."""
        try:
            self._know(metadata)
            names = clean_rooms(metadata.argument)
            told, notices = self._chat.enter(metadata.sid, names, metadata.event)
        except Refused as refusal:
            return self._undo("join_chat", refusal, metadata)
        self._publish(notices)
        return [store(rooms=self._chat.rooms(metadata.sid)), send("entered", {"rooms": told})]

    def leave(self, metadata):
        """`leave_chat {chat: room or rooms}`: Hive has unsubscribed the client by now."""
        try:
            self._know(metadata)
            names = clean_rooms(metadata.argument)
            self._publish(self._chat.exit(metadata.sid, names, metadata.event))
        except Refused as refusal:
            return self._undo("leave_chat", refusal, metadata)
        return [store(rooms=self._chat.rooms(metadata.sid)), send("exited", {"rooms": names})]

    def message(self, metadata):
        """`publish_msg {room, text, id}`; the same `id` is the same message, which the page has said again for it did not hear it."""
        argument = metadata.argument
        try:
            self._know(metadata)
            if not isinstance(argument, dict) or not isinstance(argument.get("room"), str):
                raise Refused("bad_message", "A message names its room and its text.")
            text, own_id = clean_text(argument.get("text")), clean_id(argument.get("id"))
            notice = self._chat.say(metadata.sid, argument["room"], text, metadata.event, own_id)
        except Refused as refusal:
            self._act(metadata.sid, [refused("publish_msg", refusal, id=argument.get("id") if isinstance(argument, dict) else None)])
            return []
        self._publish([notice])
        return []

    def check_in(self, metadata):
        """The answer to `ask_for_check_in`; the state says who the client is and where."""
        try:
            self._know(metadata)
        except Refused as refusal:
            return self._undo("check_in", refusal, metadata)
        return []

    def away(self, metadata):
        """`on_suspend`: the connection is lost, and the client may return."""
        self._publish(self._chat.move(metadata.sid, True, metadata.event))
        return []

    def back(self, metadata):
        """`on_recover`."""
        self._publish(self._chat.move(metadata.sid, False, metadata.event))
        return []

    def leave_rooms(self, metadata):
        """`on_disconnect`, first half."""
        self._publish(self._chat.end(metadata.sid, metadata.nick, metadata.rooms))
        return []

    def free_nick(self, metadata):
        """`on_disconnect`, second half: comes after the first, or alone if that one failed."""
        return self.leave_rooms(metadata)

    def ask_for_check_in(self):
        """A restarted back end knows nobody: every client in a room, on any node, is asked to run its `check_in` hook."""
        event = {"name": "check_in", "args": ["the back end was started"]}
        try:
            self._api.act_on_channel("chat", {"action": "dispatch", "args": event})
        except ApiError as error:
            # Where no node answers yet, or nobody is in a room, there is nobody to ask.
            if error.code not in ("unreachable", "unknown_channel_id"):
                log.info("nobody was asked to check in: %s", error)

    def sweep(self):
        """Forgets the sessions of nodes that died without running `on_disconnect`."""
        for sid in self._chat.sids():
            self._evict_if_gone(sid, None)

    def _know(self, metadata):
        """Learns from the session's state what this process does not know."""
        if metadata.nick is None:
            return
        try:
            notices = self._chat.restore(metadata.sid, metadata.nick, metadata.rooms, metadata.connected_at)
        except Refused as refusal:
            raise Refused("not_authorized", f"{refusal} Choose a nick again.") from refusal
        self._publish(notices)

    def _evict_if_gone(self, sid, asking):
        if sid is not None and sid != asking and self._api.is_gone(sid):
            log.info("session %s… ended without notice", sid[:8])
            self._publish(self._chat.evict(sid))

    def _undo(self, event, refusal, metadata):
        """The client's subscriptions have changed before we were asked: refuse, and put them right again."""
        rooms = self._chat.rooms(metadata.sid)
        actions = [refused(event, refusal)]
        actions += [leave(expression) for expression in metadata.args if event == "join_chat"]
        if refusal.code == "not_authorized":
            actions += [leave({"chat": metadata.rooms})] if metadata.rooms else []
            actions += [store(nick=None, rooms=[])]
        elif rooms:
            actions += [enter({"chat": rooms})]
        return actions

    def _publish(self, notices):
        for room, event in notices:
            try:
                self._api.publish(f"chat.{room}", event)
            except ApiError as error:
                if error.code != "unknown_channel_id":  # else nobody is there
                    log.error("room %s was not told: %s", room, error)

    def _act(self, sid, actions):
        try:
            self._api.act(sid, actions)
        except ApiError as error:
            log.info("session %s… was not told: %s", sid[:8], error)
