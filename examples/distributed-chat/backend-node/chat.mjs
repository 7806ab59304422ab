/**
 * Who is who and where: the chat's nicks, sessions and rooms, in memory.
 *
 * A session is one client of Hive, known by its `sid`. What changes a room returns a notice, `{room, event}`, which the caller
 * publishes to the room's channel. Every notice about members carries the whole list and a revision that only grows (even over a
 * restart of the back end), so that the page can drop the older of two that changed places.
 */
import { randomUUID } from 'node:crypto';
import { maxRooms, Refused, sameNick } from './rules.mjs';

const historyLength = 50; // messages a room remembers for those who come later
const maxEnded = 10_000; // ended sessions remembered, see `end`

class Room {
  members = new Map(); // sid -> nick
  history = [];
  revision = 0;

  roster() {
    const keyed = [...this.members.values()].map((nick) => [sameNick(nick), nick]);
    const members = keyed.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, nick]) => nick);
    return { members, revision: this.revision };
  }

  changed(name, room, nick) {
    this.revision = Math.max(this.revision + 1, Date.now() * 1000);
    return { room, event: { name, args: [{ room, nick, ...this.roster() }] } };
  }
}

export class Chat {
  #nicks = new Map(); // sameNick(nick) -> sid
  #sessions = new Map(); // sid -> { nick, joined: names of rooms }
  #rooms = new Map(); // name -> Room
  #ended = new Set(); // sids

  rooms(sid) {
    return [...(this.#sessions.get(sid)?.joined ?? [])];
  }

  sids() {
    return [...this.#sessions.keys()];
  }

  /** The sid that has this nick. */
  owner(nick) {
    return this.#nicks.get(sameNick(nick));
  }

  /** Gives the nick to the session. @throws Refused if another has it, or if the session has another */
  claim(sid, nick) {
    if (this.#ended.has(sid)) throw new Refused('ended', 'This session has ended.');
    const session = this.#sessions.get(sid);
    if (session && sameNick(session.nick) !== sameNick(nick)) {
      throw new Refused('already_authorized', `You are ${session.nick} already.`);
    }
    if ((this.owner(nick) ?? sid) !== sid) throw new Refused('nick_taken', `Somebody is called ${nick} already.`);
    this.#nicks.set(sameNick(nick), sid);
    if (!session) this.#sessions.set(sid, { nick, joined: new Set() });
  }

  /**
   * Takes over what a session's state says and this process does not know, for it was restarted since; returns notices.
   * @throws Refused if another has taken the nick in the meantime
   */
  restore(sid, nick, rooms) {
    if (this.#sessions.has(sid)) return [];
    this.claim(sid, nick);
    return [...new Set(rooms)].map((name) => this.#add(sid, name, 'roster'));
  }

  /** Adds the session to rooms; returns what it is told of each, and notices. @throws Refused */
  enter(sid, names) {
    const { joined } = this.#session(sid);
    if (new Set([...joined, ...names]).size > maxRooms) {
      throw new Refused('too_many_rooms', `You can be in ${maxRooms} rooms at once.`);
    }
    const notices = names.filter((name) => !joined.has(name)).map((name) => this.#add(sid, name, 'joined'));
    const told = names.map((name) => {
      const room = this.#rooms.get(name);
      return { room: name, ...room.roster(), history: [...room.history] };
    });
    return { told, notices };
  }

  /** Removes the session from rooms; returns notices. Rooms it is not in are ignored. @throws Refused */
  exit(sid, names) {
    const { joined } = this.#session(sid);
    return names.filter((name) => joined.has(name)).map((name) => this.#remove(sid, name));
  }

  /** A message to a room the session is in; returns the notice. @throws Refused */
  say(sid, room, text) {
    const { nick, joined } = this.#session(sid);
    if (!joined.has(room)) throw new Refused('not_in_room', 'Join the room first.');
    // The id lets the page drop a second copy: a call repeated at another node may have succeeded twice.
    const message = { id: randomUUID(), room, nick, text, time: Date.now() };
    const { history } = this.#rooms.get(room);
    history.push(message);
    if (history.length > historyLength) history.shift();
    return { room, event: { name: 'message', args: [message] } };
  }

  /** Removes the session from all its rooms; returns notices. */
  leaveRooms(sid) {
    return this.rooms(sid).map((name) => this.#remove(sid, name));
  }

  /** Forgets the session, and frees the nick that it, and no other, owns; returns notices. */
  freeNick(sid) {
    const notices = this.leaveRooms(sid);
    const session = this.#sessions.get(sid);
    this.#sessions.delete(sid);
    if (session && this.owner(session.nick) === sid) this.#nicks.delete(sameNick(session.nick));
    return notices;
  }

  /** From now on a late call about this session, overtaken by its end, cannot bring it back to life. */
  end(sid) {
    this.#ended.add(sid);
    if (this.#ended.size > maxEnded) this.#ended.delete(this.#ended.values().next().value);
  }

  #session(sid) {
    const session = this.#sessions.get(sid);
    if (session) return session;
    throw new Refused('not_authorized', 'Choose a nick first.');
  }

  #add(sid, name, event) {
    const { nick, joined } = this.#sessions.get(sid);
    joined.add(name);
    if (!this.#rooms.has(name)) this.#rooms.set(name, new Room());
    const room = this.#rooms.get(name);
    room.members.set(sid, nick);
    return room.changed(event, name, nick);
  }

  #remove(sid, name) {
    const { nick, joined } = this.#sessions.get(sid);
    joined.delete(name);
    const room = this.#rooms.get(name);
    room.members.delete(sid);
    if (room.members.size === 0) this.#rooms.delete(name);
    return room.changed('left', name, nick);
  }
}
