/**
 * The words of the kernel: references, calls, exit reasons. They mean what they mean in Erlang/OTP.
 */
import type { HiveError } from '../observe/errors.ts';

declare const nodeName: unique symbol;
/** `id@host`. */
export type NodeName = string & { readonly [nodeName]: true };

declare const replies: unique symbol;
/** Mark of a message that wants an answer: `type Join = { type: 'join', … } & Call<number>`. */
export interface Call<Reply> {
  readonly [replies]?: Reply;
}

/**
 * The address of an actor, here or on another node. `creation` numbers the boots of a node: a reference to an actor of a
 * former boot is dead for ever. `tell` never throws and never waits; what cannot be delivered is counted as a dead letter.
 */
export interface Ref<Message = never> {
  readonly node: NodeName;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
  tell(message: Message): void;
  /** Tells with a demand for an answer; see `Actor.ask` and `Kernel.ask`, which everybody uses. */
  call(message: Message, from: From): void;
  toString(): string;
}

/** Who waits for the answer of a call. Only the first answer counts; one that comes too late lands nowhere. */
export interface From<Reply = unknown> {
  reply(value: Reply): void;
  fail(error: unknown): void;
}

/** `{shutdown, Detail}` of OTP: a planned end with something to say. */
export class Shutdown {
  readonly detail: unknown;
  constructor(detail: unknown) {
    this.detail = detail;
  }
}

/**
 * Why an actor ended: `normal`, `shutdown`, a Shutdown, `killed`, `noproc` (was not there), `noconnection` (its node was
 * lost), or the error that crashed it. Other strings come from Erlang peers.
 */
export type ExitReason =
  | 'normal'
  | 'shutdown'
  | 'kill'
  | 'killed'
  | 'noproc'
  | 'noconnection'
  | Shutdown
  | Error
  | HiveError
  | (string & {});

/** True for the reasons after which a transient child is not restarted and nothing is reported. */
export function isPlanned(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || reason instanceof Shutdown;
}

export function describeReason(reason: ExitReason): string {
  if (reason instanceof Shutdown) return `shutdown: ${String(reason.detail)}`;
  return reason instanceof Error ? reason.message : reason;
}

/** What a monitor delivers, exactly once. */
export interface Down {
  readonly monitor: number;
  readonly ref: Ref<never>;
  readonly reason: ExitReason;
}

/** What a link delivers to an actor that traps exits. */
export interface Exit {
  readonly ref: Ref<never>;
  readonly reason: ExitReason;
}
