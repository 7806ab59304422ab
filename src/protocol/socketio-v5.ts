/**
 * Socket.IO protocol v5, inside Engine.IO messages: `4<type>[<attachments>-][<namespace>,][<id>][<JSON>]`, for example
 * `42/chat,7["say","hello"]`. Types: 0 connect, 1 disconnect, 2 event, 3 ack, 4 connect error, 5 event and 6 ack with so many
 * binary attachments, each a message of its own behind the packet. v4 packets are decoded alike.
 */
import { HiveError } from '../observe/errors.ts';
import { attach, checkPlaceholders, detach, mayHoldBytes } from './binary.ts';
import type { Codec } from './codec.ts';
import { endOfElements, endOfPlainText, maxScanned } from './compact-json.ts';
import { endOfString, parseJson, skipSpace } from './json.ts';
import {
  type ClientAck,
  ClientEvent,
  type ClientPacket,
  type Encoded,
  parseId,
  reservedEvents,
  type ServerPacket,
} from './packet.ts';

/** A packet from a client. */
export type SocketPacket =
  | { readonly type: 'connect'; readonly namespace: string; readonly auth: unknown }
  | { readonly type: 'disconnect'; readonly namespace: string }
  | { readonly type: 'packet'; readonly namespace: string; readonly packet: ClientPacket }
  | { readonly type: 'incomplete'; readonly namespace: string; readonly rest: IncompletePacket };

/** A packet that waits for its attachments. */
export class IncompletePacket {
  readonly #values: unknown[];
  readonly #count: number;
  readonly #complete: (values: unknown[]) => ClientPacket;
  readonly #attachments: Buffer[] = [];
  /** Of the attachments that are there. */
  bytes = 0;

  /** @throws HiveError `bad_packet` if the values have not one place for each attachment */
  constructor(values: unknown[], count: number, complete: (values: unknown[]) => ClientPacket) {
    checkPlaceholders(values, count);
    this.#values = values;
    this.#count = count;
    this.#complete = complete;
  }

  /** Takes the next attachment; returns the packet when this was the last one. */
  add(attachment: Buffer): ClientPacket | undefined {
    this.#attachments.push(attachment);
    this.bytes += attachment.length;
    if (this.#attachments.length < this.#count) return undefined;
    return this.#complete(attach(this.#values, this.#attachments) as unknown[]);
  }
}

/**
 * Decodes the text from `at` on (behind the Engine.IO type).
 * @throws HiveError `bad_packet`
 */
export function decodeSocketPacket(text: string, at = 0): SocketPacket {
  const type = text.charCodeAt(at) - 48;
  let start = at + 1;
  let attachments = 0;
  if (type === 5 || type === 6) {
    const dash = endOfDigits(text, start);
    const count = text.charCodeAt(dash) === 0x2d ? parseId(text.slice(start, dash)) : undefined;
    if (count === undefined) throw bad('The number of attachments is missing.');
    attachments = count;
    start = dash + 1;
  }
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
  if (type === 2 || type === 3 || type === 5 || type === 6) {
    const digits = endOfDigits(text, start);
    const id = digits === start ? undefined : parseId(text.slice(start, digits));
    if (id === undefined && digits > start) throw bad('The message id is too large.');
    const compact = type === 2 ? compactEvent(text, digits, id) : undefined;
    if (compact) return { type: 'packet', namespace, packet: compact };
    const json = text.slice(digits);
    if (attachments > 0) {
      const values = type === 5 ? eventValues(json) : ackValues(json, id);
      const complete = type === 5 ? binaryEvent : ackFrom;
      return {
        type: 'incomplete',
        namespace,
        rest: new IncompletePacket(values, attachments, (all) => complete(all, id)),
      };
    }
    const isEvent = type === 2 || type === 5;
    return { type: 'packet', namespace, packet: isEvent ? eventOf(json, id) : ackFrom(ackValues(json, id), id) };
  }
  throw bad('The packet has no known type.');
}

/** What `decodeSocketPacket` makes that packet of again, in the default namespace. Bytes stay in its JSON. */
export function encodeClientPacket(packet: ClientEvent | ClientAck): string {
  if (packet.type === 'ack') return `3${packet.id}${JSON.stringify(packet.args)}`;
  return `2${packet.id ?? ''}${eventArray(packet.name, packet.argsJson)}`;
}

function authOf(json: string): unknown {
  if (json === '') return undefined;
  const auth = parseJson(json);
  if (typeof auth !== 'object' || auth === null || Array.isArray(auth)) throw bad('The auth payload is not an object.');
  return auth;
}

/** The event in a compact text; undefined for any other, right or wrong, which has to be parsed. */
function compactEvent(text: string, at: number, id: number | undefined): ClientEvent | undefined {
  if (text.length > maxScanned || !text.startsWith('["', at)) return undefined;
  const nameEnd = endOfPlainText(text, at + 2);
  if (nameEnd < 0) return undefined;
  const name = text.slice(at + 2, nameEnd);
  if (reservedEvents.has(name)) return undefined;
  const next = nameEnd + 1;
  if (text.charCodeAt(next) === 0x2c) {
    return endOfElements(text, next + 1) === text.length
      ? new ClientEvent(name, `[${text.slice(next + 1)}`, id)
      : undefined;
  }
  return text.endsWith(']') && next === text.length - 1 ? new ClientEvent(name, '[]', id) : undefined;
}

/** The JSON is parsed although the text is kept as well: it must be known to be valid before it is passed on. */
function eventOf(json: string, id: number | undefined): ClientEvent {
  const values = eventValues(json);
  const name = values.shift() as string;
  // Valid JSON, an array, a string first: what follows can be found without looking at anything else.
  const afterName = skipSpace(json, endOfString(json, json.indexOf('"')));
  const argsJson = values.length === 0 ? '[]' : `[${json.slice(afterName + 1).trimEnd()}`;
  return new ClientEvent(name, argsJson, id, true, values);
}

function binaryEvent([name, ...args]: unknown[], id: number | undefined): ClientEvent {
  return new ClientEvent(name as string, JSON.stringify(args), id, true, args);
}

function ackFrom(args: unknown[], id: number | undefined): ClientPacket {
  return { type: 'ack', id: id!, args };
}

function eventValues(json: string): unknown[] {
  const values = parseJson(json);
  if (!Array.isArray(values)) throw bad('An event is an array.');
  const name: unknown = values[0];
  if (typeof name !== 'string') throw bad('The name of an event is a string.');
  if (reservedEvents.has(name)) throw bad(`The event name ${name} is reserved.`);
  return values;
}

function ackValues(json: string, id: number | undefined): unknown[] {
  const args = parseJson(json);
  if (!Array.isArray(args) || id === undefined) throw bad('An acknowledgement has an id and an array.');
  return args;
}

/** How many binary messages belong to a packet that was encoded for Engine.IO v4. */
export function attachmentsOf(text: string): number {
  const type = text.charCodeAt(1);
  return type === 0x35 || type === 0x36 ? Number.parseInt(text.slice(2), 10) : 0;
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
  readonly isRecoverable: boolean = false;
  /** What stands between the type and the id or JSON. */
  protected readonly prefix: string;
  readonly #event: string;

  constructor(namespace: string, key = `5${namespace}`) {
    this.key = key;
    this.prefix = namespace === '/' ? '' : `${namespace},`;
    this.#event = `42${this.prefix}`;
  }

  encode(packet: ServerPacket): Encoded {
    if (packet.type === 'event') {
      const json = eventArray(packet.name, packet.argsJson);
      if (mayHoldBytes(packet.argsJson)) return this.#withBytes('2', '5', packet.id, json);
      return `${this.#event}${packet.id ?? ''}${json}`;
    }
    if (packet.type === 'ack') {
      if (mayHoldBytes(packet.argsJson)) return this.#withBytes('3', '6', packet.id, packet.argsJson);
      return `43${this.prefix}${packet.id}${packet.argsJson}`;
    }
    const data = JSON.stringify(packet.data) ?? 'null';
    if (mayHoldBytes(data)) return this.#withBytes('2', '5', undefined, `["message",${data}]`);
    return `${this.#event}["message",${data}]`;
  }

  connect(sid: string, pid?: string): string {
    const secret = pid === undefined ? '' : `,"pid":${JSON.stringify(pid)}`;
    return `40${this.prefix}{"sid":${JSON.stringify(sid)}${secret}}`;
  }

  disconnect(): string {
    return `41${this.prefix}`;
  }

  refusal(error: HiveError): string {
    return `44${this.prefix}${JSON.stringify({ message: error.message, data: error })}`;
  }

  /** An attachment as it goes into a WebSocket frame. */
  protected frame(attachment: Buffer): Buffer {
    return attachment;
  }

  #withBytes(type: string, binaryType: string, id: number | undefined, json: string): Encoded {
    const detached = detach(json);
    if (!detached) return `4${type}${this.prefix}${id ?? ''}${json}`;
    const text = `4${binaryType}${detached.attachments.length}-${this.prefix}${id ?? ''}${detached.json}`;
    const frames = detached.attachments.map((attachment) => this.frame(attachment));
    return { text, frames, length: frames.reduce((sum, { length }) => sum + length, text.length) };
  }
}

/** `["name",1,2]` for `[1,2]`; what is no array counts as the only argument. */
function eventArray(name: string, argsJson: string): string {
  const first = `[${JSON.stringify(name)}`;
  if (argsJson.charCodeAt(0) !== 0x5b) return `${first},${argsJson}]`;
  return argsJson.length > 2 ? `${first},${argsJson.slice(1)}` : `${first}]`;
}
