/** Small actors for tests of the kernel and the supervisors, and a kernel that remembers what it logged. */
import { Actor } from '../../src/kernel/actor.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import type { AnyRef, Call, Down, Exit, ExitReason, From, Ref } from '../../src/kernel/types.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';

export interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Record<string, unknown> | undefined;
}

/** A kernel with its log and its metrics at hand. */
export class TestKernel extends Kernel {
  readonly lines: Line[];
  readonly metrics: Metrics;

  constructor() {
    const lines: Line[] = [];
    const log: Log = { ...silent };
    for (const level of ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'crash'] as const) {
      log[level] = (message: string, fields?: Record<string, unknown>) => void lines.push({ level, message, fields });
    }
    const metrics = new Metrics();
    super({ node: 'test@127.0.0.1', log, metrics });
    this.lines = lines;
    this.metrics = metrics;
  }

  count(metric: 'dead_letters' | 'crashes'): number {
    return this.metrics.counter(`hive.actors.${metric}`).value;
  }

  /** How an actor ends. */
  ended(ref: AnyRef): Promise<ExitReason> {
    return new Promise((resolve) => this.onExit(ref, resolve));
  }

  /** Starts an actor that is sure to run. */
  async run<M>(actor: Actor<M>, options?: Parameters<Kernel['spawn']>[1]): Promise<Ref<M>> {
    const ref = await this.spawn(actor, options);
    if (!ref) throw new Error('the actor ignored');
    return ref;
  }
}

export type PuppetMessage =
  | ({ readonly type: 'do'; readonly task: (puppet: Puppet) => unknown } & Call<unknown>)
  | string;

/** An actor that does what it is told to, and remembers what happened to it. */
export class Puppet extends Actor<PuppetMessage> {
  readonly seen: string[] = [];
  readonly downs: Down[] = [];
  readonly exits: Exit[] = [];
  readonly ends: ExitReason[] = [];
  readonly #options: PuppetOptions;

  constructor(options: PuppetOptions = {}) {
    super();
    this.#options = options;
  }

  override get trapsExits(): boolean {
    return this.#options.traps ?? false;
  }

  override get mailboxLimit(): number {
    return this.#options.mailboxLimit ?? super.mailboxLimit;
  }

  override init(): void | Promise<void> {
    return this.#options.init?.(this);
  }

  override receive(message: PuppetMessage, from: From | undefined): void | Promise<void> {
    if (typeof message === 'string') {
      this.seen.push(message);
      return;
    }
    const result = message.task(this);
    if (!(result instanceof Promise)) return from?.reply(result);
    return result.then((value) => from?.reply(value));
  }

  override handleDown(down: Down): void {
    this.downs.push(down);
  }

  override handleExit(exit: Exit): void {
    this.exits.push(exit);
  }

  override terminate(reason: ExitReason): void | Promise<void> {
    this.ends.push(reason);
    return this.#options.terminate?.(this);
  }

  override inspect(): Record<string, unknown> {
    return { seen: this.seen.length };
  }

  // What only the actor itself may do, for the tasks of tests.
  declare send: <M>(to: Ref<M>, message: M) => void;
  declare monitor: (target: AnyRef) => number;
  declare demonitor: (monitor: number) => void;
  declare link: (target: AnyRef) => void;
  declare unlink: (target: AnyRef) => void;
  declare exit: (target: AnyRef, reason: ExitReason) => void;
  declare after: Actor<PuppetMessage>['after'];
  declare spawn: Actor<PuppetMessage>['spawn'];
  declare stop: (reason?: ExitReason) => void;
}

export interface PuppetOptions {
  readonly traps?: boolean;
  readonly mailboxLimit?: number;
  readonly init?: (puppet: Puppet) => void | Promise<void>;
  readonly terminate?: (puppet: Puppet) => void | Promise<void>;
}

/** Has the puppet do something inside its actor; resolves with what that gives. */
export function within<Result>(puppet: Puppet, task: (puppet: Puppet) => Result): Promise<Awaited<Result>> {
  return puppet.cell.host.ask(puppet.self, { type: 'do', task }) as Promise<Awaited<Result>>;
}

/** A promise to be settled from outside. */
export class Gate<Value = void> {
  readonly promise: Promise<Value>;
  open!: (value: Value) => void;
  fail!: (error: Error) => void;
  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
  }
}

export function never(): Promise<never> {
  return new Promise(() => {});
}
