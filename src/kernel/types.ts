/**
 * The words of the kernel: references, calls, exit reasons. They mean what they mean in Erlang/OTP.
 */
import { inspect } from 'node:util';
import { HiveError } from '../observe/errors.ts';
import { asError, textOf } from '../observe/thrown.ts';

declare const nodeName: unique symbol;
/** `id@host`. */
export type NodeName = string & { readonly [nodeName]: true };

declare const replies: unique symbol;
/** Mark of a message that wants an answer: `type Join = { type: 'join', … } & Call<number>`. */
export interface Call<Reply> {
  readonly [replies]?: Reply;
}

/** Default time-out of a call, ms (that of gen_server). */
export const callTimeoutMs = 5000;

/**
 * The address of an actor, here or on another node. `creation` numbers the boots of a node: a reference to an actor of a
 * former boot is dead for ever. `tell` never throws and never waits; what cannot be delivered is counted as a dead letter. It is
 * false if that is known at once: an actor of this node that has ended, or whose mailbox is full; a node that is not connected.
 */
export interface Ref<Message> {
  readonly node: NodeName;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
  tell(message: Message): boolean;
  /** Tells with a demand for an answer; see `Actor.ask` and `Kernel.ask`, which everybody uses. */
  call(message: Message, from: From): void;
  toString(): string;
}

/** The address of an actor whatever its messages are: enough to watch, link or stop it, not to tell it anything. */
export type AnyRef = Ref<never>;

/** Who waits for the answer of a call. Only the first answer counts; one that comes too late lands nowhere. */
export interface From<Reply = unknown> {
  reply(value: Reply): void;
  fail(error: unknown): void;
}

/** `{shutdown, Detail}` of OTP: a planned end with something to say. An actor that throws it ends so. */
export class Shutdown {
  readonly detail: unknown;
  constructor(detail: unknown) {
    this.detail = detail;
  }
  toString(): string {
    return `shutdown: ${detailText(this.detail)}`;
  }
}

/** Its own text, if that says something; the detail may be anything. */
function detailText(detail: unknown): string {
  try {
    const text = String(detail);
    if (!text.includes('[object ')) return text;
  } catch {
    // It has no text: it is shown.
  }
  return inspect(detail, { depth: 1, customInspect: false });
}

/** A reason for which only its sender has a word: any term of another node's. It is handed on as what it is. */
export class ForeignReason {
  readonly term: unknown;
  /** The same for people. */
  readonly text: string;
  constructor(term: unknown, text: string) {
    this.term = term;
    this.text = text;
  }
}

/**
 * Why an actor ended: `normal`, `shutdown`, a Shutdown, `killed`, `noproc` (was not there), `noconnection` (its node was
 * lost), the error that crashed it, or a text. These words are atoms to Erlang nodes, other texts are binaries; what comes from there and is
 * none of all this is a ForeignReason.
 */
export type ExitReason =
  | 'normal'
  | 'shutdown'
  | 'kill'
  | 'killed'
  | 'noproc'
  | 'noconnection'
  | Shutdown
  | ForeignReason
  | Error
  | HiveError
  | (string & {});

/** The reason of an actor that ends because it threw that. */
export function reasonOf(thrown: unknown): Error | Shutdown {
  return isShutdown(thrown) ? thrown : asError(thrown);
}

function isShutdown(thrown: unknown): thrown is Shutdown {
  try {
    return thrown instanceof Shutdown;
  } catch {
    return false; // a Proxy whose traps throw
  }
}

/** True for the reasons after which a transient child is not restarted and nothing is reported. */
export function isPlanned(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || reason instanceof Shutdown;
}

export function describeReason(reason: ExitReason): string {
  if (typeof reason === 'string') return reason;
  if (reason instanceof ForeignReason) return reason.text;
  return reason instanceof Shutdown ? reason.toString() : textOf(reason);
}

/**
 * The failure of a call to an actor that has ended: `crashed` if it did so otherwise than planned, perhaps in the middle of the call;
 * `not_running` if it was not there, or went as it was meant to; `cluster_error` if its node was lost. The reason is the cause.
 * @param whom for people: `The actor client`
 */
export function callFailure(whom: string, reason: ExitReason): HiveError {
  if (reason === 'noproc') return new HiveError('not_running', `${whom} is not running.`, { cause: reason });
  if (reason === 'noconnection') {
    return new HiveError('cluster_error', `The node of ${whom} is lost.`, { cause: reason });
  }
  if (!isPlanned(reason)) {
    const what = reason instanceof Error ? 'crashed' : 'ended';
    return new HiveError('crashed', `${whom} ${what}: ${describeReason(reason)}`, { cause: reason });
  }
  const why = describeReason(reason);
  return new HiveError('not_running', `${whom} ended before it answered: ${why}`, { cause: reason });
}

/** Whether a call failed because its callee has ended, or never was there: there may be another one by now. */
export function isGone(failure: unknown): boolean {
  return failure instanceof HiveError && (failure.code === 'not_running' || failure.code === 'crashed');
}

/** What a monitor delivers, exactly once. */
export interface Down {
  readonly monitor: number;
  readonly ref: AnyRef;
  readonly reason: ExitReason;
}

/** What a link delivers to an actor that traps exits. */
export interface Exit {
  readonly ref: AnyRef;
  readonly reason: ExitReason;
}
