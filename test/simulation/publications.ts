/** What is published and sent in a simulation: numbers, in one way or another. */
import type { Publication } from '../../src/plugins/types.ts';
import type { ActionCall } from '../../src/protocol/backend/action-call.ts';
import { EventPacket } from '../../src/protocol/packet.ts';

export type Kind = 'event' | 'sends' | 'slow';

export function sendOf(number: number): ActionCall {
  return { action: 'send', args: { name: 'e', args: [number] }, trigger_id: '' };
}

export function publicationOf(number: number, kind: Kind): Publication {
  if (kind === 'event') return { type: 'event', packet: new EventPacket('e', `[${number}]`) };
  const slow = { action: 'dispatch', args: { name: 'slow', args: [] }, trigger_id: '' };
  return { type: 'actions', actions: kind === 'slow' ? [slow, sendOf(number)] : [sendOf(number)] };
}
