/**
 * Packets without a wire format: what hooks and actions speak with, whichever protocol the client understands.
 *
 * Arguments travel as JSON text next to (or instead of) their values, so that an event that is only passed on is never
 * serialised again. A packet that goes to many clients keeps its last encoding: it is encoded once per wire format.
 */
import { HiveError } from '../observe/errors.ts';
import { endOfPlainText, endOfValue, maxScanned } from './compact-json.ts';

/**
 * Names with a meaning of their own in today's client libraries, which drop the connection when they receive an event of
 * such a name. Refused in both directions.
 */
export const reservedEvents: ReadonlySet<string> = new Set([
  'connect',
  'connect_error',
  'disconnect',
  'disconnecting',
  'newListener',
  'removeListener',
]);

/** What becomes of a packet: a text, or a text that binary frames follow. `length` tells how much is sent, nearly in bytes. */
export type Encoded = string | EncodedBinary;

export interface EncodedBinary {
  readonly text: string;
  /** As they are in WebSocket frames. */
  readonly frames: readonly Buffer[];
  readonly length: number;
}

/** What encodes packets: one wire format for one namespace. `key` tells the formats apart. */
export interface PacketEncoder {
  readonly key: string;
  /** It leaves the end of what may have a position to whoever gives it one. */
  readonly isRecoverable: boolean;
  encode(packet: ServerPacket): Encoded;
}

/** A packet on its way to clients. */
export type ServerPacket = EventPacket | MessagePacket | AckPacket;
/** A packet that a client sent. */
export type ClientPacket = ClientEvent | ClientAck | ClientMessage;

/** Keeps the encodings of a packet. Nearly always there is one; the map is for topics with clients of several protocols. */
class Encodable {
  #key: string | undefined;
  #encoded: Encoded = '';
  #others: Map<string, Encoded> | undefined;

  /** The wire form of this packet, computed once for all encoders of one key. */
  encodedBy(this: ServerPacket & Encodable, encoder: PacketEncoder): Encoded {
    if (this.#key === encoder.key) return this.#encoded;
    const known = this.#others?.get(encoder.key);
    if (known !== undefined) return known;
    const encoded = encoder.encode(this);
    if (this.#key === undefined) {
      this.#key = encoder.key;
      this.#encoded = encoded;
    } else {
      this.#others ??= new Map();
      this.#others.set(encoder.key, encoded);
    }
    return encoded;
  }
}

/** An event for clients. With an `id` it asks the client for an acknowledgement. */
export class EventPacket extends Encodable {
  readonly type = 'event';
  readonly name: string;
  /** JSON text of the arguments without white space: an array, or what a 2014 back end sends instead. */
  readonly argsJson: string;
  readonly id: number | undefined;
  /** 0.9 only: whether the client's application makes the acknowledgement (`+`), or its library on receipt. */
  readonly ackWithData: boolean;

  constructor(name: string, argsJson: string, id?: number, ackWithData = false) {
    super();
    this.name = name;
    this.argsJson = argsJson;
    this.id = id;
    this.ackWithData = ackWithData;
  }

  /** `{"name":…,"args":…}`: the form in which events are stored, published and passed between nodes. */
  get json(): string {
    return `{"name":${JSON.stringify(this.name)},"args":${this.argsJson}}`;
  }
}

/** A nameless message: text as it is, or a value sent as JSON. Today's clients receive it as the event `message`. */
export class MessagePacket extends Encodable {
  readonly type = 'message';
  readonly data: unknown;
  readonly json: boolean;

  constructor(data: unknown, json: boolean) {
    super();
    this.data = data;
    this.json = json;
  }
}

/** The answer to a client's event that carried an id. */
export class AckPacket extends Encodable {
  readonly type = 'ack';
  readonly id: number;
  /** JSON text of an array. */
  readonly argsJson: string;

  constructor(id: number, argsJson: string) {
    super();
    this.id = id;
    this.argsJson = argsJson;
  }
}

/** An event that a client emitted. */
export class ClientEvent {
  readonly type = 'event';
  readonly name: string;
  /** JSON text of the arguments as the client sent it; valid JSON. */
  readonly argsJson: string;
  readonly id: number | undefined;
  readonly #triggerSuffix: '' | '+';
  #value: unknown;
  #parsed: boolean;

  /**
   * @param ackWithData whether the acknowledgement is to carry data (always so in today's protocol)
   * @param value the parsed `argsJson`, where the caller has it already
   */
  constructor(name: string, argsJson: string, id?: number, ackWithData = true, value?: unknown) {
    this.name = name;
    this.argsJson = argsJson;
    this.id = id;
    this.#triggerSuffix = ackWithData ? '+' : '';
    this.#value = value;
    this.#parsed = value !== undefined;
  }

  /** The arguments. A 0.9 client may send something else than an array: it counts as the only argument. */
  get args(): unknown[] {
    const value = this.#args();
    return Array.isArray(value) ? value : [value];
  }

  /** How back ends refer to this event: empty, `5`, or `5+` when the acknowledgement is to carry data. */
  get triggerId(): string {
    return this.id === undefined ? '' : `${this.id}${this.#triggerSuffix}`;
  }

  /** What back ends see as the trigger: the arguments exactly as sent. */
  toJSON(): { name: string; args: unknown } {
    return { name: this.name, args: this.#args() };
  }

  #args(): unknown {
    if (!this.#parsed) {
      this.#value = JSON.parse(this.argsJson);
      this.#parsed = true;
    }
    return this.#value;
  }
}

/** A client's answer to an event with an id. */
export interface ClientAck {
  readonly type: 'ack';
  readonly id: number;
  readonly args: unknown[];
}

/** A nameless message of a 0.9 client: text, or a JSON value. */
export interface ClientMessage {
  readonly type: 'message';
  readonly data: unknown;
  readonly json: boolean;
}

/** A trigger id taken apart: `''` has no id, `5` wants the plain acknowledgement, `5+` one with data. */
export interface Trigger {
  readonly id: number | undefined;
  readonly ackWithData: boolean;
}

const noTrigger: Trigger = { id: undefined, ackWithData: false };

/** @throws HiveError `bad_internal_event` if the text is neither empty nor a number, with or without `+` */
export function parseTrigger(triggerId: string): Trigger {
  if (triggerId === '') return noTrigger;
  const ackWithData = triggerId.endsWith('+');
  const id = parseId(ackWithData ? triggerId.slice(0, -1) : triggerId);
  if (id === undefined) {
    const summary = 'The trigger id is not a number.';
    throw new HiveError('bad_internal_event', `The trigger id ${triggerId} is not a number.`, { summary });
  }
  return { id, ackWithData };
}

/** A message id: decimal digits, at most 15 of them, so that it is exact as a number. Undefined if it is none. */
export function parseId(text: string): number | undefined {
  if (text.length === 0 || text.length > 15) return undefined;
  let id = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) return undefined;
    id = id * 10 + digit;
  }
  return id;
}

/**
 * An event packet from values. With `triggerId` the event carries that id and so asks the client for an acknowledgement.
 * @throws HiveError `bad_internal_event` for a reserved name or a malformed trigger id
 */
export function eventPacket(name: string, args: unknown, triggerId = ''): EventPacket {
  if (reservedEvents.has(name)) throw new HiveError('bad_internal_event', `The event name ${name} is reserved.`);
  const trigger = parseTrigger(triggerId);
  return new EventPacket(name, jsonText(args ?? []), trigger.id, trigger.ackWithData);
}

/**
 * An event packet from a parsed external event `{"name":…,"args":…}`; absent `args` are none.
 * @throws HiveError `bad_external_event`
 */
export function eventFromValue(value: unknown): EventPacket {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HiveError('bad_external_event', 'An event is an object with a name and args.');
  }
  const { name, args = [] } = value as { name?: unknown; args?: unknown };
  if (typeof name !== 'string') throw new HiveError('bad_external_event', 'The name of an event is a string.');
  if (reservedEvents.has(name)) throw new HiveError('bad_external_event', `The event name ${name} is reserved.`);
  return new EventPacket(name, jsonText(args));
}

const beforeName = '{"name":"';
const beforeArgs = '","args":';

/** The event packet of a compact text `{"name":…,"args":…}`; undefined for any other, right or wrong, which has to be parsed. */
export function eventFromCompact(text: string): EventPacket | undefined {
  if (text.length > maxScanned || !text.startsWith(beforeName)) return undefined;
  const nameEnd = endOfPlainText(text, beforeName.length);
  if (nameEnd < 0 || !text.startsWith(beforeArgs, nameEnd)) return undefined;
  const args = nameEnd + beforeArgs.length;
  const end = endOfValue(text, args);
  if (end < 0 || end !== text.length - 1 || !text.endsWith('}')) return undefined;
  const name = text.slice(beforeName.length, nameEnd);
  return reservedEvents.has(name) ? undefined : new EventPacket(name, text.slice(args, end));
}

/** An acknowledgement with these arguments. */
export function ackPacket(id: number, args: readonly unknown[]): AckPacket {
  return new AckPacket(id, jsonText(args));
}

function jsonText(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}
