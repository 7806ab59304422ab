#!/usr/bin/env python3
"""The back end of the simple chat: answers Hive's hooks, pushes through its API and serves the page.

    python3 backend.py [--port 8081] [--api http://127.0.0.1:1235] …

Python 3.9 or newer, standard library only. It listens on loopback: whoever can reach the hooks' addresses can pretend to be Hive.

Who somebody is and where is in the state of their session, which Hive keeps and sends along. This process only remembers what
no single session knows: which nicks are taken, and who is in a room; and which calls come too late, since a departure is repeated
until it is answered, and a call that Hive no longer waits for may still be under way.
"""

import logging
import sys
import threading
import time
import uuid
from collections import OrderedDict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "shared/backend"))

from actions import enter, leave, refused, send, store
from hive_api import ApiError, HiveApi
from rules import MAX_ROOMS, Refused, clean_nick, clean_rooms, clean_text, same_nick
from server import add_api_options, node, serve, server_options

log = logging.getLogger("chat")

ENDED = 10_000  # ended sessions remembered


class Chat:
    """Each public method answers one hook: it gets the client's metadata and returns actions for the client."""

    def __init__(self, api):
        self._api = api
        self._lock = threading.Lock()  # of what follows
        self._owners = {}  # same_nick(nick) -> sid
        self._rooms = {}  # name -> {sid: nick}
        self._changes = {}  # sid -> the last event that changed its rooms
        self._ended = OrderedDict()  # sid -> None, oldest first
        self._telling = threading.Lock()  # so that the older of two lists of members is never published last

    def authorize(self, metadata):
        """`authorize {nick}`: the nick goes into the session's state, if nobody else has it."""
        argument = metadata.argument
        try:
            nick = clean_nick(argument.get("nick") if isinstance(argument, dict) else argument)
            if metadata.nick is not None and metadata.nick != nick:
                raise Refused("already_authorized", f"You are {metadata.nick} already.")
            self._claim(nick, metadata.sid)
        except Refused as refusal:
            return [refused("authorize", refusal)]
        return [store(nick=nick), send("authorized", {"nick": nick})]

    def join(self, metadata):
        """`join_chat {chat: room or rooms}`: Hive has subscribed the client by now and waits for this answer."""
        try:
            nick = self._nick(metadata)
            names = clean_rooms(metadata.argument)
            rooms = list(dict.fromkeys(metadata.rooms + names))
            if len(rooms) > MAX_ROOMS:
                raise Refused("too_many_rooms", f"You can be in {MAX_ROOMS} rooms at once.")
            self._claim(nick, metadata.sid)  # once more, for this process may have been started since
            with self._lock:
                self._change(metadata)
                for name in names:
                    self._rooms.setdefault(name, {})[metadata.sid] = nick
        except Refused as refusal:
            undone = [leave(expression) for expression in metadata.args]
            return [refused("join_chat", refusal), *undone, *_back(metadata)]
        for name in names:
            self._tell(name, "joined", nick=nick)
        return [store(rooms=rooms), send("entered", {"rooms": names})]

    def message(self, metadata):
        """`publish_msg {room, text}`: Hive does not wait for the answer, so a refusal goes through the API."""
        argument = metadata.argument
        try:
            nick = self._nick(metadata)
            if not isinstance(argument, dict) or argument.get("room") not in metadata.rooms:
                raise Refused("not_in_room", "Join the room first.")
            text = clean_text(argument.get("text"))
        except Refused as refusal:
            self._call(self._api.act, metadata.sid, [refused("publish_msg", refusal)])
            return []
        self._tell(argument["room"], "message", id=uuid.uuid4().hex, nick=nick, text=text, time=time.time_ns() // 1_000_000)
        return []

    def leave(self, metadata):
        """`leave_chat {chat: room or rooms}`: Hive has unsubscribed the client by now."""
        try:
            names = clean_rooms(metadata.argument)
            left = [name for name in names if name in metadata.rooms]
            with self._lock:
                self._change(metadata)
                self._remove(metadata.sid, left)
        except Refused as refusal:
            return [refused("leave_chat", refusal), *_back(metadata)]
        for name in left:
            self._tell(name, "left", nick=metadata.nick)
        return [store(rooms=[name for name in metadata.rooms if name not in names]), send("exited", {"rooms": names})]

    def leave_rooms(self, metadata):
        """`on_disconnect`, first half."""
        self._end(metadata.sid, metadata.nick, metadata.rooms)
        return []

    def free_nick(self, metadata):
        """`on_disconnect`, second half: comes after the first, or alone if that one failed."""
        return self.leave_rooms(metadata)

    def _nick(self, metadata):
        if metadata.nick is None:
            raise Refused("not_authorized", "Choose a nick first.")
        return metadata.nick

    def _claim(self, nick, sid):
        owner = self._owners.get(same_nick(nick))
        if owner not in (None, sid) and self._api.is_gone(owner):  # the node died and could not say goodbye
            self._end(owner, nick, [])
        with self._lock:
            if sid in self._ended:
                raise Refused("ended", "This session has ended.")
            if self._owners.setdefault(same_nick(nick), sid) != sid:
                raise Refused("nick_taken", f"Somebody is called {nick} already.")

    def _change(self, metadata):
        """To be called with the lock, before the rooms of a session change: refuses what a later event, or the end, has overtaken."""
        if metadata.sid in self._ended:
            raise Refused("ended", "This session has ended.")
        if metadata.event < self._changes.get(metadata.sid, metadata.event):
            raise Refused("late", "A later request has been answered before this one.")
        self._changes[metadata.sid] = metadata.event

    def _end(self, sid, nick, rooms):
        """Forgets a session, and tells the rooms that it was in; `rooms` are those of its state."""
        with self._lock:
            if sid in self._ended:
                return
            self._ended[sid] = None
            if len(self._ended) > ENDED:
                self._ended.popitem(last=False)
            self._changes.pop(sid, None)
            left = [name for name, members in self._rooms.items() if sid in members]
            # Unless somebody else has the nick by now, the session was also in rooms of which this process, restarted since, knows nothing.
            if nick is not None and self._owners.get(same_nick(nick), sid) == sid:
                self._owners.pop(same_nick(nick), None)
                left = list(dict.fromkeys(left + rooms))
            self._remove(sid, left)
        for name in left:
            self._tell(name, "left", nick=nick)

    def _remove(self, sid, names):
        """To be called with the lock."""
        for name in names:
            members = self._rooms.get(name, {})
            members.pop(sid, None)
            if not members:
                self._rooms.pop(name, None)

    def _tell(self, room, event, **value):
        """Publishes to the room's channel what has happened, and who is there now."""
        with self._telling:
            with self._lock:
                members = sorted(self._rooms.get(room, {}).values(), key=same_nick)
            event = {"name": event, "args": [{"room": room, "members": members, **value}]}
            self._call(self._api.publish, f"chat.{room}", event)

    def _call(self, method, target, body):
        try:
            method(target, body)
        except ApiError as error:
            log.error("%s was not told: %s", target, error)


def _back(metadata):
    """Hive had changed the subscriptions before it asked: back into the rooms of the session's state."""
    return [enter({"chat": metadata.rooms})] if metadata.rooms else []


HOOKS = ("authorize", "join", "message", "leave", "leave_rooms", "free_nick")


def main():
    parser = server_options("Back end of Hive's simple chat example")
    add_api_options(parser, key="simple-chat-api-key")
    options = parser.parse_args()
    options.api = options.api or ["http://127.0.0.1:1235"]
    options.node = options.node or [node("hive=http://127.0.0.1:8080")]
    chat = Chat(HiveApi(options.api, options.key))
    serve(options, HERE.parent / "web", {f"/{name}": getattr(chat, name) for name in HOOKS})


if __name__ == "__main__":
    main()
