/**
 * What the back end answers to Hive's hooks. Each endpoint gets the client's metadata and returns actions for the client to
 * execute. Hive drops the answers to `hp.put` hooks, so what such a one has to say to the client goes through the API.
 */
import { ApiError } from './hive-api.mjs';
import { cleanId, cleanNick, cleanRooms, cleanText, isObject, Refused } from './rules.mjs';

// The names of the actions are those of `clients.actions` in the configuration.
const send = (name, value) => ({ action: 'send_event', args: { name, args: [value] } });
const store = (pairs) => ({ action: 'store', args: pairs });
const enter = (expression) => ({ action: 'enter', args: expression });
const leave = (expression) => ({ action: 'leave', args: expression });
const refused = (event, { code, message }, more = {}) =>
  send('refused', { event, code, description: message, ...more });

export class Hooks {
  #chat;
  #api;

  constructor(chat, api) {
    this.#chat = chat;
    this.#api = api;
  }

  /** By path. */
  endpoints = new Map([
    ['/authorize', (metadata) => this.#authorize(metadata)],
    ['/join', (metadata) => this.#join(metadata)],
    ['/leave', (metadata) => this.#leave(metadata)],
    ['/message', (metadata) => this.#message(metadata)],
    ['/check_in', (metadata) => this.#checkIn(metadata)],
    ['/away', (metadata) => this.#move(metadata, true)],
    ['/back', (metadata) => this.#move(metadata, false)],
    ['/leave_rooms', (metadata) => this.#over(metadata)],
    // Comes after the one above, or alone if that one failed.
    ['/free_nick', (metadata) => this.#over(metadata)],
  ]);

  /**
   * `authorize {nick, former}`: gives the nick to the session, if nobody alive has it but `former`: who knows the id of that session
   * is the same user, who could not return to it.
   */
  async #authorize({ sid, argument }) {
    try {
      const nick = cleanNick(isObject(argument) ? argument.nick : argument);
      const owner = this.#chat.owner(nick);
      if (owner !== sid && isObject(argument) && argument.former === owner)
        await this.#publish(this.#chat.evict(owner));
      else if (owner !== sid) await this.#evictIfGone(owner);
      this.#chat.claim(sid, nick);
      return [store({ nick }), send('authorized', { nick })];
    } catch (error) {
      return [refused('authorize', refusal(error))];
    }
  }

  /** `join_chat {chat: room or rooms}`: Hive has subscribed the client by now and waits for this answer. */
  async #join(metadata) {
    const { sid, session, argument } = metadata;
    try {
      await this.#know(metadata);
      const { told, notices } = this.#chat.enter(sid, cleanRooms(argument), session);
      await this.#publish(notices);
      return [store({ rooms: this.#chat.rooms(sid) }), send('entered', { rooms: told })];
    } catch (error) {
      return this.#undo('join_chat', refusal(error), metadata);
    }
  }

  /** `leave_chat {chat: room or rooms}`: Hive has unsubscribed the client by now. */
  async #leave(metadata) {
    const { sid, session, argument } = metadata;
    try {
      await this.#know(metadata);
      const rooms = cleanRooms(argument);
      await this.#publish(this.#chat.exit(sid, rooms, session));
      return [store({ rooms: this.#chat.rooms(sid) }), send('exited', { rooms })];
    } catch (error) {
      return this.#undo('leave_chat', refusal(error), metadata);
    }
  }

  /** `publish_msg {room, text, id}`; the same `id` is the same message, which the page has said again for it did not hear it. */
  async #message(metadata) {
    const { sid, session, argument } = metadata;
    try {
      await this.#know(metadata);
      if (!isObject(argument) || typeof argument.room !== 'string') {
        throw new Refused('bad_message', 'A message names its room and its text.');
      }
      const said = { text: cleanText(argument.text), ownId: cleanId(argument.id) };
      await this.#publish([this.#chat.say(sid, argument.room, said, session)]);
    } catch (error) {
      const actions = [refused('publish_msg', refusal(error), { id: argument?.id ?? null })];
      await this.#api.act(sid, actions).catch((unheard) => note(`session ${sid.slice(0, 8)}… was not told`, unheard));
    }
    return [];
  }

  /** The answer to `askForCheckIn`; the state says who the client is and where. */
  async #checkIn(metadata) {
    try {
      await this.#know(metadata);
      return [];
    } catch (error) {
      return this.#undo('check_in', refusal(error), metadata);
    }
  }

  /** `on_suspend` and `on_recover`. */
  async #move({ sid, session }, isAway) {
    await this.#publish(this.#chat.move(sid, isAway, session));
    return [];
  }

  /** `on_disconnect`. */
  async #over({ sid, nick, rooms }) {
    await this.#publish(this.#chat.end(sid, nick, rooms));
    return [];
  }

  /** A restarted back end knows nobody: every client in a room, on any node, is asked to run its `check_in` hook. */
  async askForCheckIn() {
    const event = { name: 'check_in', args: ['the back end was started'] };
    const asked = this.#api.actOnChannel('chat', { action: 'dispatch', args: event });
    await asked.catch((error) => {
      // Where no node answers yet, or nobody is in a room, there is nobody to ask.
      if (!['unreachable', 'unknown_channel_id'].includes(error.code)) note('nobody was asked to check in', error);
    });
  }

  /** Forgets the sessions of nodes that died without running `on_disconnect`. */
  async sweep() {
    for (const sid of this.#chat.sids()) await this.#evictIfGone(sid);
  }

  /** Learns from the session's state what this process does not know. @throws Refused */
  async #know({ sid, session, nick, rooms }) {
    if (nick === null) return;
    let notices;
    try {
      notices = this.#chat.restore(sid, nick, rooms, session);
    } catch (error) {
      throw new Refused('not_authorized', `${refusal(error).message} Choose a nick again.`);
    }
    await this.#publish(notices);
  }

  async #evictIfGone(sid) {
    if (sid !== undefined && (await this.#api.isGone(sid))) await this.#publish(this.#chat.evict(sid));
  }

  /** The client's subscriptions have changed before we were asked: refuse, and put them right again. */
  #undo(event, error, { sid, args, rooms: stored }) {
    const rooms = this.#chat.rooms(sid);
    const actions = [refused(event, error)];
    if (event === 'join_chat') actions.push(...args.map(leave));
    if (error.code === 'not_authorized') {
      if (stored.length > 0) actions.push(leave({ chat: stored }));
      actions.push(store({ nick: null, rooms: [] }));
    } else if (rooms.length > 0) {
      actions.push(enter({ chat: rooms }));
    }
    return actions;
  }

  async #publish(notices) {
    for (const { room, event } of notices) {
      const told = this.#api.publish(`chat.${room}`, event);
      await told.catch((error) => {
        if (error.code !== 'unknown_channel_id') note(`room ${room} was not told`, error); // else nobody is there
      });
    }
  }
}

/** The refusal that an error is; any other error is a fault, and goes on. */
function refusal(error) {
  if (error instanceof Refused) return error;
  throw error;
}

function note(what, error) {
  if (!(error instanceof ApiError)) throw error;
  console.error(`${what}: ${error.message}`);
}
