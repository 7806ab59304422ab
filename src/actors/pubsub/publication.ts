/**
 * Publications on their way between nodes: plain values, as the External Term Format carries them. Arguments of events stay
 * the JSON text that they are.
 */
import { HiveError } from '../../observe/errors.ts';
import type { Publication } from '../../plugins/types.ts';
import { type ActionCall, actionsFromWire, actionsToWire } from '../../protocol/backend/action-call.ts';
import { asInJson, isPlain } from '../../protocol/json.ts';
import { AckPacket, EventPacket, MessagePacket } from '../../protocol/packet.ts';

export type WirePublication =
  | { readonly type: 'event'; readonly name: string; readonly args: string; readonly id: number; readonly ack: boolean }
  | { readonly type: 'message'; readonly data: unknown; readonly json: boolean }
  | { readonly type: 'ack'; readonly id: number; readonly args: string }
  | { readonly type: 'orders'; readonly orders: readonly ActionCall[] };

const noId = -1;

export function toTerm(publication: Publication): WirePublication {
  if (publication.type === 'actions') return { type: 'orders', orders: actionsToWire(publication.actions) };
  const { packet } = publication;
  switch (packet.type) {
    case 'event': {
      const { name, argsJson: args, id = noId, ackWithData: ack } = packet;
      return { type: 'event', name: name.toWellFormed(), args, id, ack };
    }
    case 'message':
      return { type: 'message', data: asInJson(packet.data), json: packet.json };
    case 'ack':
      return { type: 'ack', id: packet.id, args: packet.argsJson };
  }
}

/** Memory that a term takes beside its texts, bytes: a rough figure. */
const overheadBytes = 200;

/** About how many bytes of memory it takes to keep that, published to those channels. */
export function sizeOf(term: WirePublication, channels: readonly string[]): number {
  let bytes = overheadBytes;
  for (const channel of channels) bytes += channel.length;
  switch (term.type) {
    case 'event':
      return bytes + term.name.length + term.args.length;
    case 'ack':
      return bytes + term.args.length;
    case 'message':
      return bytes + sizeOfValue(term.data);
    case 'orders':
      return bytes + sizeOfValue(term.orders);
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
  if (typeof term !== 'object' || term === null) throw malformed();
  const { type, name, args, id, ack, data, json, orders: actions } = term as Record<string, unknown>;
  if (type === 'orders') return { type: 'actions', actions: actionsFromWire(actions) };
  if (type === 'message' && isPlain(data)) return { type: 'event', packet: new MessagePacket(data, json === true) };
  if (typeof args !== 'string' || typeof id !== 'number') throw malformed();
  if (type === 'ack') return { type: 'event', packet: new AckPacket(id, args) };
  if (type !== 'event' || typeof name !== 'string') throw malformed();
  return { type, packet: new EventPacket(name, args, id === noId ? undefined : id, ack === true) };
}

function malformed(): HiveError {
  return new HiveError('bad_internal_event', 'Another node published something that is neither an event nor actions.');
}
