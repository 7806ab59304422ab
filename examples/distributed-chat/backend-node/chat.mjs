/**
 * Who is who and where: the chat's nicks, sessions and rooms, in memory.
 *
 * A session is one client of Hive, known by its `sid`. What changes a room returns a notice, `{room, event}`, which the caller
 * publishes to the room's channel. Every notice about members carries the whole list and a revision that only grows (even over a
 * restart of the back end), so that the page can drop the older of two that changed places.
 *
 * Calls may come late: a departure is repeated until it is answered, and a call that Hive no longer waits for may still be
 * under way. So whoever calls says which session it is and which of its events (`event`, see metadata.mjs): an older event never
 * undoes a newer one, and the end of a session takes nothing from another one with the same nick.
 */
import { randomUUID } from 'node:crypto';
import { isBefore } from './metadata.mjs';
import { maxRooms, Refused, sameNick } from './rules.mjs';

const historyLength = 50; // messages a room remembers for those who come later
const maxGone = 10_000; // former sessions remembered

class Room {
  members = new Map(); // sid -> session
  history = [];
  revision = 0;

  roster() {
    const keyed = [...this.members.values()].map((session) => [sameNick(session.nick), session]);
    const sessions = keyed.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, session]) => session);
    const nicks = (some) => some.map(({ nick }) => nick);
    return { members: nicks(sessions), away: nicks(sessions.filter(({ isAway }) => isAway)), revision: this.revision };
  }

  changed(name, room, nick) {
    this.revision = Math.max(this.revision + 1, Date.now() * 1000);
    return { room, event: { name, args: [{ room, nick, ...this.roster() }] } };
  }
}

export class Chat {
  #nicks = new Map(); // sameNick(nick) -> sid
  #sessions = new Map(); // sid -> see #begin
  #rooms = new Map(); // name -> Room
  #gone = new Map(); // sid of a former session -> whether its end was told by Hive, not only guessed; oldest first

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
    const session = this.#sessions.get(sid);
    if (session && sameNick(session.nick) !== sameNick(nick)) {
      throw new Refused('already_authorized', `You are ${session.nick} already.`);
    }
    if (!session) this.#begin(sid, nick);
  }

  /**
   * Takes over what a session's state says and this process does not know, for it was restarted since; returns notices. Where
   * the states of two sessions have the same nick, it belongs to the one that connected later.
   * @throws Refused if another has taken the nick in the meantime
   */
  restore(sid, nick, rooms, { connected_at }) {
    if (this.#sessions.has(sid)) return [];
    const owner = this.owner(nick);
    const notices = this.#sessions.get(owner)?.restoredAt < connected_at ? this.#forget(owner, 'roster') : [];
    this.#begin(sid, nick, connected_at);
    return [...notices, ...[...new Set(rooms)].map((name) => this.#add(sid, name, 'roster'))];
  }

  /** Adds the session to rooms; returns what it is told of each, and notices. @throws Refused */
  enter(sid, names, event) {
    const session = this.#changing(sid, event);
    const { joined } = session;
    if (new Set([...joined, ...names]).size > maxRooms) {
      throw new Refused('too_many_rooms', `You can be in ${maxRooms} rooms at once.`);
    }
    session.change = { event, left: [] };
    const notices = names.filter((name) => !joined.has(name)).map((name) => this.#add(sid, name, 'joined'));
    const told = names.map((name) => {
      const room = this.#rooms.get(name);
      return { room: name, ...room.roster(), history: [...room.history] };
    });
    return { told, notices };
  }

  /** Removes the session from rooms; returns notices. Rooms it is not in are ignored. @throws Refused */
  exit(sid, names, event) {
    const session = this.#changing(sid, event);
    const left = names.filter((name) => session.joined.has(name));
    session.change = { event, left };
    return left.map((name) => this.#remove(sid, name, 'left'));
  }

  /**
   * A message to a room the session is in, or was in when it said this; returns the notice. What a user says again under the same id
   * is the same message: pages show it once.
   * @throws Refused
   */
  say(sid, room, { text, ownId }, event) {
    const { nick, joined, change } = this.#session(sid);
    const lastWords = change?.left.includes(room) && isBefore(event, change.event);
    if (!joined.has(room) && !lastWords) throw new Refused('not_in_room', 'Join the room first.');
    const history = this.#rooms.get(room)?.history ?? [];
    const known = history.find(({ id }) => id === ownId);
    if (known?.nick === nick) return { room, event: { name: 'message', args: [known] } };
    // The id lets the page drop a second copy: a call repeated at another node may have succeeded twice.
    const id = known ? randomUUID() : (ownId ?? randomUUID());
    const message = { id, room, nick, text, time: Date.now() };
    history.push(message);
    if (history.length > historyLength) history.shift();
    return { room, event: { name: 'message', args: [message] } };
  }

  /** The session has lost its connection, to which it may return, or has returned; returns notices. */
  move(sid, isAway, event) {
    const session = this.#sessions.get(sid);
    if (!session || (session.moved && isBefore(event, session.moved))) return [];
    Object.assign(session, { isAway, moved: event });
    return [...session.joined].map((name) => this.#rooms.get(name).changed('roster', name, session.nick));
  }

  /**
   * Forgets a session that has ended; returns notices. One that this process never knew, because it was restarted, was who and
   * where its state says, unless somebody has its nick now.
   */
  end(sid, nick, rooms) {
    const told = this.#gone.has(sid);
    this.#bury(sid, true);
    if (this.#sessions.has(sid)) return this.#forget(sid, 'left');
    if (told || nick === null || this.owner(nick) !== undefined) return [];
    return rooms.map((name) => (this.#rooms.get(name) ?? new Room()).changed('left', name, nick));
  }

  /** Forgets a session that seems to have ended without notice; returns notices. */
  evict(sid) {
    if (!this.#sessions.has(sid)) return [];
    this.#bury(sid, false);
    return this.#forget(sid, 'left');
  }

  #session(sid) {
    const session = this.#sessions.get(sid);
    if (session) return session;
    throw new Refused('not_authorized', 'Choose a nick first.');
  }

  /** The session, if this event of it may change its rooms. */
  #changing(sid, event) {
    const session = this.#session(sid);
    if (session.change && isBefore(event, session.change.event)) {
      throw new Refused('late', 'A later request has been answered before this one.');
    }
    return session;
  }

  /**
   * What is kept of a session: `nick`; `joined`, the names of its rooms; `change`, the last event that changed them and which it
   * left; `isAway`, and `moved`, the last event that changed this; `restoredAt`, if it was restored from its state, when it connected.
   */
  #begin(sid, nick, restoredAt) {
    if (this.#gone.get(sid)) throw new Refused('ended', 'This session has ended.');
    if (this.owner(nick) !== undefined) throw new Refused('nick_taken', `Somebody is called ${nick} already.`);
    this.#gone.delete(sid);
    this.#nicks.set(sameNick(nick), sid);
    this.#sessions.set(sid, { nick, joined: new Set(), isAway: false, restoredAt });
  }

  /** From now on, a late call about this session is recognised as such. */
  #bury(sid, told) {
    this.#gone.set(sid, told);
    if (this.#gone.size > maxGone) this.#gone.delete(this.#gone.keys().next().value);
  }

  #forget(sid, event) {
    const session = this.#sessions.get(sid);
    const notices = [...session.joined].map((name) => this.#remove(sid, name, event));
    this.#sessions.delete(sid);
    this.#nicks.delete(sameNick(session.nick));
    return notices;
  }

  #add(sid, name, event) {
    const session = this.#sessions.get(sid);
    session.joined.add(name);
    if (!this.#rooms.has(name)) this.#rooms.set(name, new Room());
    const room = this.#rooms.get(name);
    room.members.set(sid, session);
    return room.changed(event, name, session.nick);
  }

  #remove(sid, name, event) {
    const { nick, joined } = this.#sessions.get(sid);
    joined.delete(name);
    const room = this.#rooms.get(name);
    room.members.delete(sid);
    if (room.members.size === 0) this.#rooms.delete(name);
    return room.changed(event, name, nick);
  }
}
