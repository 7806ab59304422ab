/**
 * Control messages: what a frame between two nodes wants. Written in the variants that every Erlang node understands from
 * the first byte on; read in all variants, the traced ones included (their trace token is dropped). Source: Erlang
 * distribution protocol.
 */
import type { AnyRef } from '../kernel/types.ts';
import { Atom, Reference, TermError, Tuple } from './codec/terms.ts';

export const op = {
  link: 1,
  send: 2,
  exit: 3,
  unlink: 4,
  nodeLink: 5,
  regSend: 6,
  groupLeader: 7,
  exit2: 8,
  sendTraced: 12,
  exitTraced: 13,
  regSendTraced: 16,
  exit2Traced: 18,
  monitor: 19,
  demonitor: 20,
  monitorExit: 21,
  sendSender: 22,
  sendSenderTraced: 23,
  payloadExit: 24,
  payloadExitTraced: 25,
  payloadExit2: 26,
  payloadExit2Traced: 27,
  payloadMonitorExit: 28,
  spawnRequest: 29,
  spawnRequestTraced: 30,
  spawnReply: 31,
  spawnReplyTraced: 32,
  aliasSend: 33,
  aliasSendTraced: 34,
  unlinkId: 35,
  unlinkIdAck: 36,
} as const;

/** A process or the name of one. */
export type Proc = AnyRef | string;

export type Control =
  | { readonly type: 'send'; readonly to: AnyRef }
  | { readonly type: 'send_named'; readonly from: AnyRef; readonly to: string }
  | { readonly type: 'send_alias'; readonly alias: Reference }
  | { readonly type: 'link'; readonly from: AnyRef; readonly to: AnyRef }
  | { readonly type: 'unlink'; readonly id: unknown; readonly from: AnyRef; readonly to: AnyRef }
  | { readonly type: 'unlink_ack'; readonly id: unknown; readonly from: AnyRef; readonly to: AnyRef }
  /** `linked`: a link broke; otherwise somebody sent the signal. */
  | {
      readonly type: 'exit';
      readonly linked: boolean;
      readonly from: AnyRef;
      readonly to: AnyRef;
      readonly reason: unknown;
    }
  | { readonly type: 'monitor'; readonly from: AnyRef; readonly to: Proc; readonly ref: Reference }
  | { readonly type: 'demonitor'; readonly from: AnyRef; readonly to: Proc; readonly ref: Reference }
  | {
      readonly type: 'down';
      readonly from: Proc;
      readonly to: AnyRef;
      readonly ref: Reference;
      readonly reason: unknown;
    }
  | { readonly type: 'spawn'; readonly request: Reference; readonly from: AnyRef }
  | { readonly type: 'ignored' };

const ignored: Control = { type: 'ignored' };

/**
 * What a control tuple means.
 * @param payload reads the term that follows; called only for messages that have one
 * @throws TermError if it is no control message
 */
export function readControl(term: unknown, payload: () => unknown): Control {
  if (!(term instanceof Tuple)) throw malformed(term);
  const { items } = term;
  switch (items[0]) {
    case op.send:
    case op.sendTraced:
    case op.sendSender:
    case op.sendSenderTraced:
      return { type: 'send', to: pid(items[2]) };
    case op.regSend:
    case op.regSendTraced:
      return { type: 'send_named', from: pid(items[1]), to: name(items[3]) };
    case op.aliasSend:
    case op.aliasSendTraced:
      return { type: 'send_alias', alias: reference(items[2]) };
    case op.link:
      return { type: 'link', from: pid(items[1]), to: pid(items[2]) };
    case op.unlink:
      return { type: 'unlink', id: undefined, from: pid(items[1]), to: pid(items[2]) };
    case op.unlinkId:
      return { type: 'unlink', id: items[1], from: pid(items[2]), to: pid(items[3]) };
    case op.unlinkIdAck:
      return { type: 'unlink_ack', id: items[1], from: pid(items[2]), to: pid(items[3]) };
    case op.exit:
      return { type: 'exit', linked: true, from: pid(items[1]), to: pid(items[2]), reason: items[3] };
    case op.exitTraced:
      return { type: 'exit', linked: true, from: pid(items[1]), to: pid(items[2]), reason: items[4] };
    case op.exit2:
      return { type: 'exit', linked: false, from: pid(items[1]), to: pid(items[2]), reason: items[3] };
    case op.exit2Traced:
      return { type: 'exit', linked: false, from: pid(items[1]), to: pid(items[2]), reason: items[4] };
    case op.payloadExit:
    case op.payloadExitTraced:
      return { type: 'exit', linked: true, from: pid(items[1]), to: pid(items[2]), reason: payload() };
    case op.payloadExit2:
    case op.payloadExit2Traced:
      return { type: 'exit', linked: false, from: pid(items[1]), to: pid(items[2]), reason: payload() };
    case op.monitor:
      return { type: 'monitor', from: pid(items[1]), to: proc(items[2]), ref: reference(items[3]) };
    case op.demonitor:
      return { type: 'demonitor', from: pid(items[1]), to: proc(items[2]), ref: reference(items[3]) };
    case op.monitorExit:
      return { type: 'down', from: proc(items[1]), to: pid(items[2]), ref: reference(items[3]), reason: items[4] };
    case op.payloadMonitorExit:
      return { type: 'down', from: proc(items[1]), to: pid(items[2]), ref: reference(items[3]), reason: payload() };
    case op.spawnRequest:
    case op.spawnRequestTraced:
      return { type: 'spawn', request: reference(items[1]), from: pid(items[2]) };
    // Nothing here depends on them: group leaders and links of nodes do not exist, and we spawn nothing elsewhere.
    case op.nodeLink:
    case op.groupLeader:
    case op.spawnReply:
    case op.spawnReplyTraced:
      return ignored;
    default:
      throw malformed(term);
  }
}

/** True for anything with the numbers of a pid. */
export function isRef(value: unknown): value is AnyRef {
  return typeof value === 'object' && value !== null && 'serial' in value && 'creation' in value;
}

function pid(value: unknown): AnyRef {
  if (!isRef(value)) throw new TermError('a pid expected', 'the control message');
  return value;
}

function name(value: unknown): string {
  if (value instanceof Atom) return value.name;
  // A process may be registered even under these names.
  if (typeof value === 'boolean' || value === null || value === undefined) return String(value);
  throw new TermError('a name expected', 'the control message');
}

function proc(value: unknown): Proc {
  return isRef(value) ? value : name(value);
}

function reference(value: unknown): Reference {
  if (!(value instanceof Reference)) throw new TermError('a reference expected', 'the control message');
  return value;
}

function malformed(term: unknown): TermError {
  const what = term instanceof Tuple ? `operation ${String(term.items[0])} of ${term.items.length} items` : typeof term;
  return new TermError(`no control message: ${what}`, 'the start of the frame');
}
