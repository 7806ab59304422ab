"""Who is who and where: the chat's nicks, sessions and rooms, in memory and safe to use from many threads.

A session is one client of Hive, known by its `sid`. What changes a room returns a notice, `(room, event)`, that the caller
publishes to the room's channel once the lock is released. Every notice about members carries the whole list and a revision
that only grows (even over a restart of the back end), so that the page can drop the older of two that changed places.

Calls may come late: a departure is repeated until it is answered, and a call that Hive no longer waits for may still be under
way. So whoever calls says which session it is and which of its events (`event`, a tuple that grows): an older event never undoes a
newer one, and the end of a session takes nothing from another one with the same nick.
"""

import threading
import time
import uuid
from collections import OrderedDict, deque

from rules import MAX_ROOMS, Refused, same_nick

HISTORY = 50  # messages a room remembers for those who come later
GONE = 10_000  # former sessions remembered


class _Room:
    def __init__(self):
        self.members = {}  # sid -> _Session
        self.history = deque(maxlen=HISTORY)
        self.revision = 0

    def roster(self):
        sessions = sorted(self.members.values(), key=lambda session: same_nick(session.nick))
        away = [session.nick for session in sessions if session.is_away]
        return {"members": [session.nick for session in sessions], "away": away, "revision": self.revision}

    def changed(self, name, room, nick):
        self.revision = max(self.revision + 1, time.time_ns() // 1000)
        return room, {"name": name, "args": [{"room": room, "nick": nick, **self.roster()}]}


class _Session:
    def __init__(self, nick, restored_at):
        self.nick = nick
        self.joined = []  # names of rooms
        self.changed = (-1,)  # the last event that changed them
        self.left = []  # rooms that it left with that event
        self.is_away = False
        self.moved = (-1,)  # the last event that changed this
        self.restored_at = restored_at  # if it was restored from its state, when it connected


class Chat:
    def __init__(self):
        self._lock = threading.Lock()
        self._nicks = {}  # same_nick(nick) -> sid
        self._sessions = {}  # sid -> _Session
        self._rooms = {}  # name -> _Room
        self._gone = OrderedDict()  # sid of a former session -> whether its end was told by Hive, not only guessed; oldest first

    def rooms(self, sid):
        with self._lock:
            session = self._sessions.get(sid)
            return list(session.joined) if session else []

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
            session = self._sessions.get(sid)
            if session is None:
                self._begin(sid, nick)
            elif same_nick(session.nick) != same_nick(nick):
                raise Refused("already_authorized", f"You are {session.nick} already.")

    def restore(self, sid, nick, rooms, connected_at):
        """Takes over what a session's state says and this process does not know, for it was restarted since.

        Returns notices. Where the states of two sessions have the same nick, it belongs to the one that connected later. Refused
        if another has taken the nick in the meantime.
        """
        with self._lock:
            if sid in self._sessions:
                return []
            owner = self._nicks.get(same_nick(nick))
            restored_at = self._sessions[owner].restored_at if owner else None
            notices = self._forget(owner, "roster") if restored_at is not None and restored_at < connected_at else []
            self._begin(sid, nick, connected_at)
            return notices + [self._add(sid, name, "roster") for name in dict.fromkeys(rooms)]

    def enter(self, sid, names, event):
        """Adds the session to rooms; returns (what the session is told of each room, notices)."""
        with self._lock:
            session = self._changing(sid, event)
            if len(set(session.joined) | set(names)) > MAX_ROOMS:
                raise Refused("too_many_rooms", f"You can be in {MAX_ROOMS} rooms at once.")
            session.changed, session.left = event, []
            notices = [self._add(sid, name, "joined") for name in names if name not in session.joined]
            told = [{"room": name, **self._rooms[name].roster(), "history": list(self._rooms[name].history)} for name in names]
            return told, notices

    def exit(self, sid, names, event):
        """Removes the session from rooms; returns notices. Rooms it is not in are ignored."""
        with self._lock:
            session = self._changing(sid, event)
            session.changed, session.left = event, [name for name in names if name in session.joined]
            return [self._remove(sid, name, "left") for name in session.left]

    def say(self, sid, room, text, event, own_id=None):
        """A message to a room the session is in, or was in when it said this; returns the notice.

        What a user says again under the same id is the same message: pages show it once.
        """
        with self._lock:
            session = self._session(sid)
            last_words = room in session.left and event < session.changed
            if room not in session.joined and not last_words:
                raise Refused("not_in_room", "Join the room first.")
            history = self._rooms[room].history if room in self._rooms else []
            message = next((known for known in history if own_id is not None and known["id"] == own_id), None)
            if message is None or message["nick"] != session.nick:
                # The id lets the page drop a second copy: a call repeated at another node may have succeeded twice.
                own_id = own_id if message is None else None
                message = {"id": own_id or uuid.uuid4().hex, "room": room, "nick": session.nick, "text": text, "time": time.time_ns() // 1_000_000}
                history.append(message)
            return room, {"name": "message", "args": [message]}

    def move(self, sid, is_away, event):
        """The session has lost its connection, to which it may return, or has returned; returns notices."""
        with self._lock:
            session = self._sessions.get(sid)
            if session is None or event < session.moved:
                return []
            session.is_away, session.moved = is_away, event
            return [self._rooms[name].changed("roster", name, session.nick) for name in session.joined]

    def end(self, sid, nick, rooms):
        """Forgets a session that has ended; returns notices.

        One that this process never knew, because it was restarted, was who and where its state says, unless somebody has its nick
        now.
        """
        with self._lock:
            told = sid in self._gone
            self._bury(sid, told=True)
            if sid in self._sessions:
                return self._forget(sid, "left")
            if told or nick is None or same_nick(nick) in self._nicks:
                return []
            return [self._rooms.get(name, _Room()).changed("left", name, nick) for name in rooms]

    def evict(self, sid):
        """Forgets a session that seems to have ended without notice; returns notices."""
        with self._lock:
            if sid not in self._sessions:
                return []
            self._bury(sid, told=False)
            return self._forget(sid, "left")

    def _session(self, sid):
        session = self._sessions.get(sid)
        if session is None:
            raise Refused("not_authorized", "Choose a nick first.")
        return session

    def _changing(self, sid, event):
        """The session, if this event of it may change its rooms."""
        session = self._session(sid)
        if event < session.changed:
            raise Refused("late", "A later request has been answered before this one.")
        return session

    def _begin(self, sid, nick, restored_at=None):
        if self._gone.get(sid):
            raise Refused("ended", "This session has ended.")
        if self._nicks.setdefault(same_nick(nick), sid) != sid:
            raise Refused("nick_taken", f"Somebody is called {nick} already.")
        self._gone.pop(sid, None)
        self._sessions[sid] = _Session(nick, restored_at)

    def _bury(self, sid, told):
        """From now on, a late call about this session is recognised as such."""
        self._gone[sid] = told
        if len(self._gone) > GONE:
            self._gone.popitem(last=False)

    def _forget(self, sid, event):
        session = self._sessions[sid]
        notices = [self._remove(sid, name, event) for name in list(session.joined)]
        del self._sessions[sid]
        del self._nicks[same_nick(session.nick)]
        return notices

    def _add(self, sid, name, event):
        session = self._sessions[sid]
        session.joined.append(name)
        room = self._rooms.setdefault(name, _Room())
        room.members[sid] = session
        return room.changed(event, name, session.nick)

    def _remove(self, sid, name, event):
        session = self._sessions[sid]
        session.joined.remove(name)
        room = self._rooms[name]
        del room.members[sid]
        if not room.members:
            del self._rooms[name]
        return room.changed(event, name, session.nick)
