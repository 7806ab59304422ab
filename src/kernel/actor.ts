/**
 * The base of every actor: a class with a mailbox, handling one message after the other.
 *
 *   init      runs before `spawn` resolves; throwing (or rejecting) makes the start fail; throwing `ignore` means "not now"
 *   receive   one message; sync unless it must wait. A promise that it returns is awaited before the next message
 *   terminate runs when the actor stops itself, crashes, or is told to stop by its parent while it traps exits
 *
 * `null` and `undefined` are no messages: they reach nobody. An exception that is not part of a reply, and no Shutdown, is a crash: the actor ends with it as reason, its links are told, its supervisor
 * decides. JavaScript cannot be interrupted, so an actor that was killed while it waits may still run to the next end of
 * its handler. It is fenced: everything it does through the methods here has no effect any more, `signal` is aborted, and
 * it counts as abandoned until it returns. Hence the rule: inside an actor send with `this.send`, ask with `this.ask`.
 */
import type { Behaviour } from './behaviour.ts';
import type { Cell } from './cell.ts';
import type { Kernel, SpawnOptions } from './kernel.ts';
import type { Timer } from './timers.ts';
import {
  type AnyRef,
  type Call,
  callTimeoutMs,
  type Down,
  type Exit,
  type ExitReason,
  type From,
  type Ref,
} from './types.ts';

export { ignore } from './behaviour.ts';

export abstract class Actor<Message = never> implements Behaviour<Message> {
  /** @internal Set by the kernel before `init`. */
  cell!: Cell<Message, Kernel>;

  init(): void | Promise<void> {}

  /** @param from present if the message is a call: answer it now or later, once. */
  abstract receive(message: Message, from: From | undefined): void | Promise<void>;

  /**
   * Whether `receive` may see what another node has sent. The compiler vouches for the messages of this node; from others may come
   * anything. So an actor that they talk with says here what it takes, and looks at all of it: true only for what has the whole form of
   * one of its messages, so that `receive` need not look again. Default: nothing.
   */
  admits(_message: unknown): boolean {
    return false;
  }

  /** What `admits` has said no to ends here, ahead of the mailbox. Overridden by who counts it for itself. */
  refuse(message: unknown, from: From | undefined): void {
    this.unexpected(message, from);
  }

  terminate(_reason: ExitReason): void | Promise<void> {}

  /** A monitored actor ended. */
  handleDown(_down: Down): void | Promise<void> {}

  /** A linked actor ended; only when `trapsExits`. */
  handleExit(_exit: Exit): void | Promise<void> {}

  /** What an operator may see of the state. No secrets, no payloads. */
  inspect(): Record<string, unknown> {
    return {};
  }

  /** True: exits of linked actors are delivered to `handleExit`, and a stop by the parent runs `terminate`. */
  get trapsExits(): boolean {
    return false;
  }

  /** How many messages may wait; further ones are refused and counted, but for what the actor sends to itself. */
  get mailboxLimit(): number {
    return 100_000;
  }

  get self(): Ref<Message> {
    return this.cell;
  }

  protected get kernel(): Kernel {
    return this.cell.host;
  }

  /** False once the actor has ended: then nothing it does has an effect. */
  get alive(): boolean {
    return this.cell.alive;
  }

  /** Aborted when the actor ends, or is told to stop, while a handler waits. */
  get signal(): AbortSignal {
    return this.cell.signal;
  }

  /** For what `receive` has no use for: it is counted and logged, and who waits for an answer gets `bad_request`. */
  protected unexpected(message: unknown, from: From | undefined): void {
    this.cell.host.unexpected(this.cell, message, from);
  }

  /** To itself, however much waits. */
  protected send<M>(to: Ref<M>, message: M): void {
    const { cell } = this;
    if (!cell.alive) return;
    if (to === (cell as unknown)) cell.tellSelf(message as unknown as Message);
    else to.tell(message);
  }

  /**
   * Calls and waits for the answer. Rejects with the callee's failure; `timeout` after `timeoutMs`; `not_running` if the callee is not
   * there or ends as planned, `crashed` if it ends otherwise; at once with an Error if the callee is this actor.
   */
  ask<M, Reply>(to: Ref<M>, message: M & Call<Reply>, timeoutMs: number = callTimeoutMs): Promise<Reply> {
    return this.cell.host.askFrom<Reply>(this.cell, to, message, timeoutMs);
  }

  /** `handleDown` will be called exactly once with the returned number, at once (`noproc`) if the actor is dead already. */
  protected monitor(target: AnyRef): number {
    return this.cell.monitor(target);
  }

  /** Ends a monitor; a Down of it that is already queued is not delivered any more. */
  protected demonitor(monitor: number): void {
    this.cell.demonitor(monitor);
  }

  protected link(target: AnyRef): void {
    this.cell.link(target);
  }

  protected unlink(target: AnyRef): void {
    this.cell.unlink(target);
  }

  /** Sends an exit signal, as `erlang:exit/2`. */
  protected exit(target: AnyRef, reason: ExitReason): void {
    if (this.cell.alive) this.cell.host.exit(this.cell, target, reason);
  }

  /** Sends a message to this actor later. The timer dies with the actor. */
  protected after(ms: number, message: Message): Timer {
    return this.cell.after(ms, message);
  }

  /** Starts a linked actor under this one; resolves when its `init` is done, to undefined if it ignored. */
  protected spawn<M>(actor: Actor<M>, options?: SpawnOptions): Promise<Ref<M> | undefined> {
    return this.cell.host.spawn(actor, { ...options, parent: this.cell });
  }

  /** Ends this actor after the current handler: `terminate` runs, links and monitors get `reason`. In `init` it makes the start fail. */
  protected stop(reason: ExitReason = 'normal'): void {
    this.cell.stopSelf(reason);
  }
}
