"""Who is who and where: the chat's nicks, sessions and rooms, in memory and safe to use from many threads.

A session is one client of Hive, known by its `sid`. What changes a room returns a notice, `(room, event)`, that the caller
publishes to the room's channel once the lock is released. Every notice about members carries the whole list and a revision
that only grows (even over a restart of the back end), so that the page can drop the older of two that changed places.
"""

import threading
import time
import uuid
from collections import OrderedDict, deque

from rules import MAX_ROOMS, Refused, same_nick

HISTORY = 50  # messages a room remembers for those who come later
ENDED = 10_000  # ended sessions remembered, see `end`


class _Room:
    def __init__(self):
        self.members = {}  # sid -> nick
        self.history = deque(maxlen=HISTORY)
        self.revision = 0

    def roster(self):
        return {"members": sorted(self.members.values(), key=same_nick), "revision": self.revision}

    def changed(self, name, room, nick):
        self.revision = max(self.revision + 1, time.time_ns() // 1000)
        return room, {"name": name, "args": [{"room": room, "nick": nick, **self.roster()}]}


class Chat:
    def __init__(self):
        self._lock = threading.Lock()
        self._nicks = {}  # same_nick(nick) -> sid
        self._sessions = {}  # sid -> (nick, list of room names)
        self._rooms = {}  # name -> _Room
        self._ended = OrderedDict()  # sid -> None

    def nick(self, sid):
        with self._lock:
            session = self._sessions.get(sid)
            return session[0] if session else None

    def rooms(self, sid):
        with self._lock:
            session = self._sessions.get(sid)
            return list(session[1]) if session else []

    def sids(self):
        with self._lock:
            return list(self._sessions)

    def owner(self, nick):
        """The sid that has this nick, or None."""
        with self._lock:
            return self._nicks.get(same_nick(nick))

    def claim(self, sid, nick):
        """Gives the nick to the session. Refused if another has it, or if the session has another."""
        with self._lock:
            self._claim(sid, nick)

    def restore(self, sid, nick, rooms):
        """Takes over what a session's state says and this process does not know, for it was restarted since.

        Returns notices. Refused if another has taken the nick in the meantime.
        """
        with self._lock:
            if sid in self._sessions:
                return []
            self._claim(sid, nick)
            return [self._add(sid, name, "roster") for name in dict.fromkeys(rooms)]

    def enter(self, sid, names):
        """Adds the session to rooms; returns (what the session is told of each room, notices)."""
        with self._lock:
            joined = self._session(sid)[1]
            if len(set(joined) | set(names)) > MAX_ROOMS:
                raise Refused("too_many_rooms", f"You can be in {MAX_ROOMS} rooms at once.")
            notices = [self._add(sid, name) for name in names if name not in joined]
            told = [{"room": name, **self._rooms[name].roster(), "history": list(self._rooms[name].history)} for name in names]
            return told, notices

    def exit(self, sid, names):
        """Removes the session from rooms; returns notices. Rooms it is not in are ignored."""
        with self._lock:
            joined = self._session(sid)[1]
            return [self._remove(sid, name) for name in names if name in joined]

    def say(self, sid, room, text):
        """A message to a room the session is in; returns the notice."""
        with self._lock:
            nick, joined = self._session(sid)
            if room not in joined:
                raise Refused("not_in_room", "Join the room first.")
            # The id lets the page drop a second copy: a call repeated at another node may have succeeded twice.
            message = {"id": uuid.uuid4().hex, "room": room, "nick": nick, "text": text, "time": time.time_ns() // 1_000_000}
            self._rooms[room].history.append(message)
            return room, {"name": "message", "args": [message]}

    def leave_rooms(self, sid):
        """Removes the session from all its rooms; returns notices."""
        with self._lock:
            return self._leave_rooms(sid)

    def free_nick(self, sid):
        """Forgets the session, and frees the nick that it, and no other, owns; returns notices."""
        with self._lock:
            return self._forget(sid)

    def end(self, sid):
        """From now on a late call about this session, overtaken by its end, cannot bring it back to life."""
        with self._lock:
            self._ended[sid] = None
            while len(self._ended) > ENDED:
                self._ended.popitem(last=False)

    def _session(self, sid):
        session = self._sessions.get(sid)
        if session is None:
            raise Refused("not_authorized", "Choose a nick first.")
        return session

    def _claim(self, sid, nick):
        if sid in self._ended:
            raise Refused("ended", "This session has ended.")
        session = self._sessions.get(sid)
        if session and same_nick(session[0]) != same_nick(nick):
            raise Refused("already_authorized", f"You are {session[0]} already.")
        if self._nicks.setdefault(same_nick(nick), sid) != sid:
            raise Refused("nick_taken", f"Somebody is called {nick} already.")
        if session is None:
            self._sessions[sid] = (nick, [])

    def _add(self, sid, name, event="joined"):
        nick, joined = self._sessions[sid]
        joined.append(name)
        room = self._rooms.setdefault(name, _Room())
        room.members[sid] = nick
        return room.changed(event, name, nick)

    def _remove(self, sid, name):
        nick, joined = self._sessions[sid]
        joined.remove(name)
        room = self._rooms[name]
        del room.members[sid]
        notice = room.changed("left", name, nick)
        if not room.members:
            del self._rooms[name]
        return notice

    def _leave_rooms(self, sid):
        session = self._sessions.get(sid)
        return [self._remove(sid, name) for name in list(session[1])] if session else []

    def _forget(self, sid):
        notices = self._leave_rooms(sid)
        session = self._sessions.pop(sid, None)
        if session and self._nicks.get(same_nick(session[0])) == sid:
            del self._nicks[same_nick(session[0])]
        return notices
