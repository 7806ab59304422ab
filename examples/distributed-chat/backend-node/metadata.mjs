/** What Hive posts to a hook: the metadata of the client, here with the state that the chat keeps. */
import { isObject } from './rules.mjs';

const printable = /^(?: |[^\p{C}\p{Z}])+$/u;

/** The body is not the metadata that Hive sends. */
export class BadMetadata extends Error {}

/**
 * `sid`; `session`, which says when it began (`connected_at`) and which of its events this is (`epoch`, `event`); `args` of the
 * event that the client sent, and the one `argument` if it is alone; `nick` (or null) and `rooms` as the session's state has them.
 * @throws BadMetadata
 */
export function parseMetadata(body) {
  const { sid, session, trigger = null, state: given } = parsed(body);
  const state = given === null || given === undefined || isEmptyList(given) ? {} : given;
  expect(typeof sid === 'string' && printable.test(sid), 'sid must be a non-empty, printable string');
  expect(
    isObject(session) && ['connected_at', 'epoch', 'event'].every((name) => Number.isSafeInteger(session[name])),
    'session must have connected_at, epoch and event, which are integers',
  );
  expect(
    trigger === null || isObject(trigger) || typeof trigger === 'string',
    'trigger must be an event, a string or null',
  );
  expect(isObject(state), 'state must be an object');
  const args = (isObject(trigger) ? trigger.args : undefined) ?? [];
  const { nick = null, rooms = [] } = state;
  expect(Array.isArray(args), 'trigger.args must be an array');
  expect(nick === null || typeof nick === 'string', 'state.nick must be a string or null');
  expect(
    Array.isArray(rooms) && rooms.every((room) => typeof room === 'string'),
    'state.rooms must be an array of strings',
  );
  return { sid, session, args, argument: args.length === 1 ? args[0] : undefined, nick, rooms };
}

function parsed(body) {
  let data;
  try {
    data = JSON.parse(body);
  } catch (error) {
    throw new BadMetadata(`not JSON: ${error.message}`);
  }
  expect(isObject(data), 'not an object');
  return data;
}

/** Whether the session had this event before the other one: both are `session` of its metadata. */
export function isBefore(event, other) {
  return event.epoch < other.epoch || (event.epoch === other.epoch && event.event < other.event);
}

/** Some languages write an empty object like this. */
function isEmptyList(value) {
  return Array.isArray(value) && value.length === 0;
}

function expect(holds, description) {
  if (!holds) throw new BadMetadata(description);
}
