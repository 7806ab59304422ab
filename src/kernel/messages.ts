/** What lies in a mailbox besides plain messages: calls, and signals that become callbacks. */
import { HiveError } from '../observe/errors.ts';
import { asError } from '../observe/thrown.ts';
import { type SmallSet, withoutValue, withValue } from './small-set.ts';
import { Timer, type TimingWheel } from './timers.ts';
import type { PendingFrom } from './transport.ts';
import type { Down, Exit, From } from './types.ts';

export class CallMessage {
  readonly message: unknown;
  readonly from: From;
  constructor(message: unknown, from: From) {
    this.message = message;
    this.from = from;
  }
}

/** Kept in place of the monitor that brought it, which has ended. */
export class DownMessage implements Disposable {
  readonly down: Down;
  constructor(down: Down) {
    this.down = down;
  }
  [Symbol.dispose](): void {}
}

export class ExitMessage {
  readonly exit: Exit;
  constructor(exit: Exit) {
    this.exit = exit;
  }
}

/**
 * Why a message reached nobody: its actor has ended, or takes no more; nobody bears the name; the node is not connected. Each
 * with the level of its line in the log: actors end all the time, while others still write to them.
 */
export const deadLetterReasons = {
  dead: 'debug',
  full: 'warning',
  unknown_name: 'warning',
  no_connection: 'notice',
} as const;

export type DeadLetterReason = keyof typeof deadLetterReasons;

/**
 * What may be shown of a message: its `type`, else what kind of value it is. Undefined for what is none: `null`, `undefined`, and
 * objects that cannot be looked at.
 */
export function messageType(message: unknown): string | undefined {
  if (typeof message !== 'object') return message === undefined ? undefined : typeof message;
  if (message === null) return undefined;
  try {
    const { type } = message as { type?: unknown };
    return typeof type === 'string' ? type : 'object';
  } catch {
    return undefined;
  }
}

/** An actor that waits for answers. */
export interface Caller {
  asks: SmallSet<PendingCall>;
}

/** An actor that owes answers. */
export interface Callee {
  readonly label: string;
  calls: SmallSet<PendingCall>;
}

/**
 * One waiting caller. It settles once: with the reply, a failure, the deadline, or the end of callee or caller; whatever
 * comes later lands nowhere. It is its own timer, so that a call costs one object and the promise.
 */
export class PendingCall extends Timer implements PendingFrom {
  settled: (() => void) | undefined;
  /** The callee, while it has the call: it fails its open calls when it ends. */
  callee: Callee | undefined;
  readonly #caller: Caller | undefined;
  readonly #resolve: (value: never) => void;
  readonly #reject: (error: unknown) => void;
  #open = true;

  constructor(
    wheel: TimingWheel,
    timeoutMs: number,
    caller: Caller | undefined,
    resolve: (value: never) => void,
    reject: (error: unknown) => void,
  ) {
    super();
    this.#caller = caller;
    this.#resolve = resolve;
    this.#reject = reject;
    if (caller) caller.asks = withValue<PendingCall>(caller.asks, this);
    if (Number.isFinite(timeoutMs)) wheel.start(this, timeoutMs);
  }

  /** Someone else has the call now: the first callee, or one to whom it was forwarded. */
  passTo(callee: Callee): void {
    if (!this.#open) return;
    this.#leave();
    this.callee = callee;
    callee.calls = withValue<PendingCall>(callee.calls, this);
  }

  reply(value: unknown): void {
    if (this.#close()) this.#resolve(value as never);
  }

  /** Actors fail calls with what they caught: whoever asked gets something that can be looked at. */
  fail(error: unknown): void {
    if (this.#close()) this.#reject(asError(error));
  }

  override expire(): void {
    const callee = this.callee ? ` ${this.callee.label}` : '';
    this.fail(new HiveError('timeout', `The actor${callee} did not answer in time.`));
  }

  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.cancel();
    const caller = this.#caller;
    if (caller) caller.asks = withoutValue<PendingCall>(caller.asks, this);
    this.#leave();
    this.settled?.();
    return true;
  }

  #leave(): void {
    const { callee } = this;
    if (callee) callee.calls = withoutValue<PendingCall>(callee.calls, this);
    this.callee = undefined;
  }
}
