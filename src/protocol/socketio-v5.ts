/**
 * Socket.IO protocol v5, inside Engine.IO messages: `4<type>[<namespace>,][<id>][<JSON>]`, for example
 * `42/chat,7["say","hello"]`. Types: 0 connect, 1 disconnect, 2 event, 3 ack, 4 connect error, 5 and 6 binary.
 */
import { HiveError } from '../observe/errors.ts';
import type { Codec } from './codec.ts';
import { endOfString, parseJson, skipSpace } from './json.ts';
import { ClientEvent, type ClientPacket, parseId, reservedEvents, type ServerPacket } from './packet.ts';

/** A packet from a client. */
export type SocketPacket =
  | { readonly type: 'connect'; readonly namespace: string; readonly auth: unknown }
  | { readonly type: 'disconnect'; readonly namespace: string }
  | { readonly type: 'packet'; readonly namespace: string; readonly packet: ClientPacket };

/**
 * Decodes the text from `at` on (behind the Engine.IO type).
 * @throws HiveError `bad_packet`
 */
export function decodeSocketPacket(text: string, at = 0): SocketPacket {
  const type = text.charCodeAt(at) - 48;
  let start = at + 1;
  let namespace = '/';
  if (text.charCodeAt(start) === 0x2f) {
    const comma = text.indexOf(',', start);
    const end = comma < 0 ? text.length : comma;
    namespace = text.slice(start, end);
    start = comma < 0 ? end : end + 1;
  }
  if (type === 0) return { type: 'connect', namespace, auth: authOf(text.slice(start)) };
  if (type === 1) {
    if (start < text.length) throw bad('A disconnect packet has no data.');
    return { type: 'disconnect', namespace };
  }
  if (type === 2 || type === 3) {
    const digits = endOfDigits(text, start);
    const id = digits === start ? undefined : parseId(text.slice(start, digits));
    if (id === undefined && digits > start) throw bad('The message id is too large.');
    const json = text.slice(digits);
    return { type: 'packet', namespace, packet: type === 2 ? eventOf(json, id) : ackOf(json, id) };
  }
  throw bad(type === 5 || type === 6 ? 'Binary packets are not supported.' : 'The packet has no known type.');
}

function authOf(json: string): unknown {
  if (json === '') return undefined;
  const auth = parseJson(json);
  if (typeof auth !== 'object' || auth === null || Array.isArray(auth)) throw bad('The auth payload is not an object.');
  return auth;
}

/**
 * The JSON is parsed here although the text is kept as well: it must be known to be valid before it is passed on, and for
 * the sizes events have, parsing costs less than any scan in JavaScript.
 */
function eventOf(json: string, id: number | undefined): ClientEvent {
  const values = parseJson(json);
  if (!Array.isArray(values)) throw bad('An event is an array.');
  const name: unknown = values.shift();
  if (typeof name !== 'string') throw bad('The name of an event is a string.');
  if (reservedEvents.has(name)) throw bad(`The event name ${name} is reserved.`);
  // Valid JSON, an array, a string first: what follows can be found without looking at anything else.
  const afterName = skipSpace(json, endOfString(json, json.indexOf('"')));
  const argsJson = values.length === 0 ? '[]' : `[${json.slice(afterName + 1).trimEnd()}`;
  return new ClientEvent(name, argsJson, id, true, values);
}

function ackOf(json: string, id: number | undefined): ClientPacket {
  const args = parseJson(json);
  if (!Array.isArray(args) || id === undefined) throw bad('An acknowledgement has an id and an array.');
  return { type: 'ack', id, args };
}

function endOfDigits(text: string, at: number): number {
  let end = at;
  while (text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end += 1;
  return end;
}

function bad(description: string): HiveError {
  return new HiveError('bad_packet', description);
}

/** Encodes for one namespace of Socket.IO v5 over Engine.IO v4. */
export class SocketV5Codec implements Codec {
  readonly key: string;
  readonly #prefix: string;
  readonly #event: string;
  readonly #ack: string;

  constructor(namespace: string) {
    this.key = `5${namespace}`;
    this.#prefix = namespace === '/' ? '' : `${namespace},`;
    this.#event = `42${this.#prefix}`;
    this.#ack = `43${this.#prefix}`;
  }

  encode(packet: ServerPacket): string {
    if (packet.type === 'event') {
      return `${this.#event}${packet.id ?? ''}[${JSON.stringify(packet.name)}${restOfArray(packet.argsJson)}`;
    }
    if (packet.type === 'ack') return `${this.#ack}${packet.id}${packet.argsJson}`;
    return `${this.#event}["message",${JSON.stringify(packet.data) ?? 'null'}]`;
  }

  connect(sid: string): string {
    return `40${this.#prefix}{"sid":${JSON.stringify(sid)}}`;
  }

  disconnect(): string {
    return `41${this.#prefix}`;
  }

  refusal(error: HiveError): string {
    return `44${this.#prefix}${JSON.stringify({ message: error.message, data: error })}`;
  }
}

/** `,1,2]` for `[1,2]`, `]` for `[]`; what is no array counts as the only argument. */
function restOfArray(argsJson: string): string {
  if (argsJson.charCodeAt(0) !== 0x5b) return `,${argsJson}]`;
  return argsJson.length > 2 ? `,${argsJson.slice(1)}` : ']';
}
