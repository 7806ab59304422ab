/**
 * The protocol of Socket.IO 0.9 ("protocol 1"): packets `<type>:<id>[+]:<endpoint>[:<data>]`, and the batches of its
 * polling transport, in which each packet stands behind its length in UTF-16 units: U+FFFD, length, U+FFFD, packet.
 */
import { HiveError } from '../observe/errors.ts';
import type { Codec } from './codec.ts';
import { parseJson } from './json.ts';
import { ClientEvent, type ClientPacket, parseId, type ServerPacket } from './packet.ts';

/** A packet from a client. */
export type LegacyPacket =
  | { readonly type: 'connect' | 'disconnect'; readonly endpoint: string }
  | { readonly type: 'heartbeat' | 'error' | 'noop' }
  | { readonly type: 'packet'; readonly packet: ClientPacket }
  /** A well-formed packet with unusable contents: the client is told, nothing else happens. */
  | { readonly type: 'unusable'; readonly error: HiveError };

const mark = '\ufffd';

export const heartbeatPacket = '2:::';
export const noopPacket = '8:::';
export const disconnectPacket = '0:::';

/** Error packet "client not handshaken", advice "reconnect": makes clients of unknown sessions start anew. */
export const unknownSessionPacket = '7:::1+0';

/** An error packet with a text of our own; client libraries give it to the application's `error` listener. */
export function errorPacket(text: string, endpoint = ''): string {
  return `7::${endpoint}:${text}`;
}

/** @throws HiveError `bad_packet` */
export function decodeLegacyPacket(text: string): LegacyPacket {
  const type = text.charCodeAt(0) - 48;
  if (!(type >= 0 && type <= 8) || text.charCodeAt(1) !== 0x3a) throw bad('The packet has no known type.');
  const idEnd = text.indexOf(':', 2);
  if (idEnd < 0) throw bad('The packet has no endpoint field.');
  const endpointEnd = text.indexOf(':', idEnd + 1);
  const endpoint = text.slice(idEnd + 1, endpointEnd < 0 ? text.length : endpointEnd);
  const data = endpointEnd < 0 ? '' : text.slice(endpointEnd + 1);
  const idText = text.slice(2, idEnd);
  const ackWithData = idText.endsWith('+');
  const digits = ackWithData ? idText.slice(0, -1) : idText;
  const id = parseId(digits);
  if (id === undefined && idText !== '') throw bad('The message id is not a number.');
  switch (type) {
    case 0:
      return { type: 'disconnect', endpoint };
    case 1:
      return { type: 'connect', endpoint };
    case 2:
      return { type: 'heartbeat' };
    case 3:
      return { type: 'packet', packet: { type: 'message', data, json: false } };
    case 4:
      return jsonMessage(data);
    case 5:
      return event(data, id, ackWithData);
    case 6:
      return ack(data);
    case 7:
      return { type: 'error' };
    default:
      return { type: 'noop' };
  }
}

function jsonMessage(data: string): LegacyPacket {
  const value = contents(data);
  if (value instanceof HiveError) return { type: 'unusable', error: value };
  return { type: 'packet', packet: { type: 'message', data: value, json: true } };
}

function event(data: string, id: number | undefined, ackWithData: boolean): LegacyPacket {
  const value = contents(data);
  if (value instanceof HiveError) return { type: 'unusable', error: value };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return unusable('An event is an object with a name and args.');
  }
  const { name, args = [] } = value as { name?: unknown; args?: unknown };
  if (typeof name !== 'string') return unusable('The name of an event is a string.');
  const packet = new ClientEvent(name, JSON.stringify(args), id, ackWithData, args);
  return { type: 'packet', packet };
}

function unusable(description: string): LegacyPacket {
  return { type: 'unusable', error: new HiveError('bad_external_event', description) };
}

function contents(data: string): unknown {
  try {
    return parseJson(data);
  } catch (error) {
    return new HiveError('bad_external_event', 'The data of the packet is not acceptable JSON.', { cause: error });
  }
}

/** `<id>` or `<id>+<JSON array>` */
function ack(data: string): LegacyPacket {
  const plus = data.indexOf('+');
  const id = parseId(plus < 0 ? data : data.slice(0, plus));
  if (id === undefined) throw bad('The acknowledgement has no id.');
  const args = plus < 0 || plus === data.length - 1 ? [] : parseJson(data.slice(plus + 1));
  if (!Array.isArray(args)) throw bad('The data of an acknowledgement is an array.');
  return { type: 'packet', packet: { type: 'ack', id, args } };
}

/** The body of a poll's answer. */
export function encodeBatch(packets: readonly string[]): string {
  let body = '';
  for (const packet of packets) body += `${mark}${packet.length}${mark}${packet}`;
  return body;
}

/** The packets of a POST: a batch, or a single packet. @throws HiveError `bad_packet` */
export function decodeBatch(text: string): string[] {
  if (!text.startsWith(mark)) return [text];
  const packets: string[] = [];
  for (let at = 0; at < text.length; ) {
    const lengthEnd = text.startsWith(mark, at) ? text.indexOf(mark, at + 1) : -1;
    const length = lengthEnd < 0 ? undefined : parseId(text.slice(at + 1, lengthEnd));
    if (length === undefined) throw bad('The batch is not framed.');
    const end = lengthEnd + 1 + length;
    if (end > text.length) throw bad('The batch is shorter than its frames say.');
    packets.push(text.slice(lengthEnd + 1, end));
    at = end;
  }
  return packets;
}

function bad(description: string): HiveError {
  return new HiveError('bad_packet', description);
}

/** Half surrogate pairs, which JSON texts can name but UTF-8 cannot hold, would cost the client its connection. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, mark);
}

/** Encodes for the default endpoint of Socket.IO 0.9. */
export class LegacyCodec implements Codec {
  readonly key = '0.9';
  readonly isRecoverable = false;

  encode(packet: ServerPacket): string {
    if (packet.type === 'event') {
      return `5:${packet.id ?? ''}${packet.ackWithData ? '+' : ''}::${packet.json}`;
    }
    if (packet.type === 'ack') return `6:::${packet.id}+${packet.argsJson}`;
    if (packet.json) return `4:::${JSON.stringify(packet.data) ?? 'null'}`;
    return `3:::${typeof packet.data === 'string' ? wellFormed(packet.data) : JSON.stringify(packet.data)}`;
  }

  connect(): string {
    return '1:::';
  }

  disconnect(): string {
    return disconnectPacket;
  }

  /** "unauthorized", which client libraries report as `connect_failed`; the protocol has no room for more. */
  refusal(): string {
    return '7:::2';
  }
}
