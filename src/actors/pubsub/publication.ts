/**
 * Publications on their way between nodes: plain values, as the External Term Format carries them. Arguments of events stay
 * the JSON text that they are.
 */
import { HiveError } from '../../observe/errors.ts';
import type { Position, Publication } from '../../plugins/types.ts';
import { type ActionCall, actionsFromWire, actionsToWire } from '../../protocol/backend/action-call.ts';
import { asInJson, isPlain } from '../../protocol/json.ts';
import { AckPacket, EventPacket, MessagePacket } from '../../protocol/packet.ts';

/** Lists, which are written and read in half of the time of maps. */
export type WirePublication =
  | readonly [type: 'event', name: string, args: string, id: number, ack: boolean]
  | readonly [type: 'message', data: unknown, json: boolean]
  | readonly [type: 'ack', id: number, args: string]
  | readonly [type: 'orders', orders: readonly ActionCall[]];

const noId = -1;

export function toTerm(publication: Publication): WirePublication {
  if (publication.type === 'actions') return ['orders', actionsToWire(publication.actions)];
  const { packet } = publication;
  switch (packet.type) {
    case 'event': {
      const { name, argsJson, id = noId, ackWithData } = packet;
      return ['event', name.toWellFormed(), argsJson, id, ackWithData];
    }
    case 'message':
      return ['message', asInJson(packet.data), packet.json];
    case 'ack':
      return ['ack', packet.id, packet.argsJson];
  }
}

/** Names what has that position in a channel's history, for those who may hear of it twice. */
export function positionId(channel: string, [epoch, offset]: Position): string {
  return `${channel}/${epoch}/${offset}`;
}

/** Memory that a term takes beside its texts, bytes: a rough figure. */
const overheadBytes = 200;

/** About how many bytes of memory it takes to keep that, published to those channels. */
export function sizeOf(term: WirePublication, channels: readonly string[]): number {
  let bytes = overheadBytes;
  for (const channel of channels) bytes += channel.length;
  switch (term[0]) {
    case 'event':
      return bytes + term[1].length + term[2].length;
    case 'ack':
      return bytes + term[2].length;
    default:
      return bytes + sizeOfValue(term[1]);
  }
}

function sizeOfValue(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  let bytes = 32;
  for (const [key, item] of Object.entries(value)) bytes += key.length + sizeOfValue(item);
  return bytes;
}

/** @throws HiveError `bad_internal_event` for what no node of ours sends */
export function fromTerm(term: unknown): Publication {
  if (!Array.isArray(term)) throw malformed();
  switch (term[0]) {
    case 'event': {
      const [, name, args, id, ack] = term as unknown[];
      if (typeof name !== 'string' || typeof args !== 'string' || typeof id !== 'number') throw malformed();
      return { type: 'event', packet: new EventPacket(name, args, id === noId ? undefined : id, ack === true) };
    }
    case 'message': {
      const [, data, json] = term as unknown[];
      if (!isPlain(data)) throw malformed();
      return { type: 'event', packet: new MessagePacket(data, json === true) };
    }
    case 'ack': {
      const [, id, args] = term as unknown[];
      if (typeof args !== 'string' || typeof id !== 'number') throw malformed();
      return { type: 'event', packet: new AckPacket(id, args) };
    }
    case 'orders':
      return { type: 'actions', actions: actionsFromWire(term[1]) };
    default:
      throw malformed();
  }
}

function malformed(): HiveError {
  return new HiveError('bad_internal_event', 'Another node published something that is neither an event nor actions.');
}
