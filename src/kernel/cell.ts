/**
 * A cell is what the kernel keeps of one incarnation of an actor: its address, mailbox, links, monitors and life cycle.
 * A restarted actor is a new cell with a new address, so what an old incarnation still does reaches nobody.
 *
 *   starting ──init──▶ running ◀──▶ waiting (a handler's promise is pending)
 *       │                 │            │
 *       ▼                 ▼            ▼
 *     dead ◀──────────── stopping (terminate runs) ──────────▶ dead
 *
 * System messages (a request to stop) go before all others; everything else keeps the order in which it was sent.
 */
import { ActorTimer } from './actor-timer.ts';
import { type Behaviour, ignore } from './behaviour.ts';
import { type ExitListener, nothing } from './exit-listener.ts';
import { endFailure, Refusal, refused, undelivered } from './failures.ts';
import { Mailbox } from './mailbox.ts';
import { CallMessage, type DeadLetterReason, DownMessage, ExitMessage, messageType, PendingCall } from './messages.ts';
import type { NactPlace } from './nact.ts';
import type { Runnable, RunQueue } from './run-queue.ts';
import { hasValue, type SmallSet, valuesOf, withoutValue, withValue } from './small-set.ts';
import type { Timer, TimingWheel } from './timers.ts';
import { type AnyRef, type Down, type ExitReason, type From, type NodeName, type Ref, reasonOf } from './types.ts';

export type Status = 'starting' | 'running' | 'waiting' | 'stopping' | 'dead';

/**
 * Messages handled in one slice before other actors run (the BEAM's reductions, in messages). A long queue gets a
 * longer slice, up to a limit that still is some milliseconds: sockets deliver more messages per round than the shortest slice
 * takes, and a mailbox that only grows ends in refusals.
 */
const minPerSlice = 64;
const maxPerSlice = 4096;

/** What a cell needs of the kernel around it. */
export interface CellHost {
  readonly node: NodeName;
  readonly creation: number;
  readonly wheel: TimingWheel;
  readonly runQueue: RunQueue;
  nextMonitor(): number;
  startMonitor(watcher: Cell<never>, monitor: number, target: AnyRef): Disposable;
  resolve(ref: AnyRef, found: (ref: AnyRef | undefined) => void): void;
  linkBack(from: Cell<never>, target: AnyRef): void;
  unlinkBack(from: Cell<never>, target: AnyRef): void;
  linkExit(from: Cell<never>, linked: AnyRef, reason: ExitReason): void;
  notifyExitListener(watcher: ExitListener, ended: Cell<never>, reason: ExitReason): void;
  failCall(call: PendingCall, ended: Cell<never>, failure: Error): void;
  deadLetter(to: AnyRef, reason: DeadLetterReason, message: unknown): void;
  unexpected(cell: Cell<never>, message: unknown, from: From | undefined): void;
  reportCrash(cell: Cell<never>, reason: Error): void;
  abandon(cell: Cell<never>): void;
  returned(cell: Cell<never>): void;
  forget(cell: Cell<never>): void;
  announceEnd(cell: Cell<never>, reason: ExitReason): void;
}

export class Cell<Message = never, Host extends CellHost = CellHost> implements Ref<Message>, Runnable {
  readonly host: Host;
  readonly id: number;
  readonly serial: number;
  readonly label: string;
  readonly parent: Cell | undefined;
  /** On the clock of `performance.now()`, which nobody sets; a small integer takes no memory of its own. */
  readonly #bornMs: number;
  readonly mailbox = new Mailbox();
  name: string | undefined;
  status: Status = 'starting';
  /** How often its supervisor has restarted this child. */
  restarts = 0;
  /** The type of the last message; the message itself would be held in memory for nothing. */
  lastMessage: string | undefined;
  /** Messages that its handlers were given. */
  handled = 0;
  #actor: Behaviour<Message>;
  #place: NactPlace | undefined;
  #scheduled = false;
  /** A promise of `init`, a handler or `terminate` is pending. */
  #busy = false;
  #stopReason: ExitReason | undefined;
  #abort: AbortController | undefined;
  #runningChildren = 0;
  /** With whom it shares its end: at least its parent. */
  links: SmallSet<AnyRef>;
  /** Who watches this actor. */
  exitListeners: SmallSet<ExitListener>;
  /** The monitors that this actor has. */
  #monitors: Map<number, Disposable> | undefined;
  timers: SmallSet<Timer>;
  /** The calls it has not answered yet. */
  calls: SmallSet<PendingCall>;
  /** The answers it waits for. */
  asks: SmallSet<PendingCall>;
  /** Ends the waiting for `init`. */
  #failStart: ((error: Error) => void) | undefined;

  constructor(host: Host, id: number, serial: number, label: string, actor: Behaviour<Message>, parent?: Cell) {
    this.host = host;
    this.id = id;
    this.serial = serial;
    this.label = label;
    this.parent = parent;
    this.#bornMs = Math.floor(performance.now());
    this.#actor = actor;
  }

  get node(): NodeName {
    return this.host.node;
  }

  get creation(): number {
    return this.host.creation;
  }

  get ageMs(): number {
    return Math.floor(performance.now()) - this.#bornMs;
  }

  get alive(): boolean {
    return this.status !== 'dead';
  }

  get actor(): Behaviour<Message> {
    return this.#actor;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    const toldToStop = this.#stopReason !== undefined && this.#busy && this.status !== 'stopping';
    if (toldToStop || !this.alive) this.#abort.abort();
    return this.#abort.signal;
  }

  /** The labels from the top of the tree down to this actor. */
  get path(): string {
    let path = this.label;
    for (let above = this.parent; above; above = above.parent) path = `${above.label}/${path}`;
    return path;
  }

  toString(): string {
    return `<${this.node}.${this.id}.${this.serial}>`;
  }

  // --- what others do to it

  tell(message: Message): boolean {
    return this.#enqueue(message);
  }

  call(message: Message, from: From): void {
    if (from instanceof PendingCall) from.passTo(this as unknown as Cell);
    if (!this.#enqueue(new CallMessage(message, from))) from.fail(undelivered(this));
  }

  /** What another node sends: nothing that the actor does not admit. */
  foreign(message: unknown, from: From | undefined): void {
    if (!this.#ended && !this.admits(message)) this.#actor.refuse(message, from);
    else if (from) this.call(message as Message, from);
    else this.tell(message as Message);
  }

  admits(message: unknown): boolean {
    try {
      return this.#actor.admits(message);
    } catch {
      return false;
    }
  }

  #enqueue(message: unknown): boolean {
    if (this.#ended || this.mailbox.length >= this.#actor.mailboxLimit) {
      this.host.deadLetter(this, this.#ended ? 'dead' : 'full', message);
      return false;
    }
    this.mailbox.push(message);
    this.#schedule();
    return true;
  }

  /** Signals, and what the actor tells itself, are never refused: who waits for one would wait for ever. */
  tellSelf(message: Message | ExitMessage | DownMessage): void {
    if (this.#ended) return;
    this.mailbox.push(message);
    this.#schedule();
  }

  get #ended(): boolean {
    return this.status === 'dead' || this.status === 'stopping';
  }

  /** Ends the actor as soon as its present handler has returned; a handler that waits sees its signal aborted. */
  requestStop(reason: ExitReason): void {
    if (this.#ended || this.#stopReason !== undefined) return;
    this.#stopReason = reason;
    if (this.#busy) this.#abort?.abort();
    this.#schedule();
  }

  /** The same by itself: in `init` the start fails. */
  stopSelf(reason: ExitReason): void {
    if (this.status === 'starting') this.#stopReason ??= new Refusal(reason);
    else this.requestStop(reason);
  }

  /** An exit signal sent with `exit`: the link, if there is one, stays. */
  signalExit(from: AnyRef, reason: ExitReason): void {
    if (this.status === 'dead') return;
    if (reason === 'kill') this.die('killed');
    else this.#exitWith(from, reason);
  }

  /** The end of a linked actor; unlike a sent signal its reason `kill` is one like others. */
  signalLinkExit(from: AnyRef, reason: ExitReason): void {
    if (!hasValue(this.links, from)) return;
    this.links = withoutValue(this.links, from);
    this.#exitWith(from, reason);
  }

  #exitWith(from: AnyRef, reason: ExitReason): void {
    if (from === this.parent && this.#actor.trapsExits) this.requestStop(reason);
    else if (this.#actor.trapsExits) this.tellSelf(new ExitMessage({ ref: from, reason }));
    else if (reason !== 'normal') this.die(reason);
  }

  /** The Down takes the place of its monitor until it is delivered: calling the monitor off forgets it, wherever it waits. */
  signalDown(down: Down): void {
    const present = this.#monitors?.get(down.monitor);
    if (!present || present instanceof DownMessage) return;
    const message = new DownMessage(down);
    this.#monitors?.set(down.monitor, message);
    this.tellSelf(message);
  }

  // --- what its actor does

  monitor(target: AnyRef): number {
    const monitor = this.host.nextMonitor();
    if (!this.alive) return monitor;
    this.#monitors ??= new Map();
    this.#monitors.set(monitor, nothing);
    const started = this.host.startMonitor(this, monitor, target);
    // A node that is not there may have answered already.
    if (this.#monitors.get(monitor) === nothing) this.#monitors.set(monitor, started);
    return monitor;
  }

  demonitor(monitor: number): void {
    const started = this.#monitors?.get(monitor);
    this.#monitors?.delete(monitor);
    started?.[Symbol.dispose]();
  }

  /** A name stands for whoever bears it now. */
  link(target: AnyRef): void {
    if (this.alive) this.host.resolve(target, (pid) => this.#link(pid ?? target));
  }

  #link(target: AnyRef): void {
    if (!this.alive || target === this) return;
    this.linkTo(target);
    this.host.linkBack(this, target);
  }

  /** One half of a link. */
  linkTo(target: AnyRef): void {
    this.links = withValue(this.links, target);
  }

  unlink(target: AnyRef): void {
    this.host.resolve(target, (pid) => pid && this.#unlink(pid));
  }

  #unlink(target: AnyRef): void {
    if (!hasValue(this.links, target)) return;
    this.links = withoutValue(this.links, target);
    this.host.unlinkBack(this, target);
  }

  after(ms: number, message: Message): Timer {
    const timer = new ActorTimer(this, message);
    if (!this.alive) return timer;
    this.timers = withValue<Timer>(this.timers, timer);
    return this.host.wheel.start(timer, ms);
  }

  // --- life cycle

  /** Joins the hierarchy and runs `init`; throws what `init` throws. */
  async start(place: NactPlace): Promise<void> {
    this.#place = place;
    if (this.parent) this.parent.#runningChildren += 1;
    try {
      const initialised = this.#actor.init();
      if (initialised) await this.#initialised(initialised);
    } catch (error) {
      if (error === ignore) {
        this.die('normal');
        throw error;
      }
      const reason = reasonOf(error);
      this.die(reason);
      throw reason;
    }
    if (this.#stopReason instanceof Refusal) {
      const { reason } = this.#stopReason;
      this.die(reason);
      throw refused(this, reason);
    }
    if (this.status !== 'starting') throw undelivered(this);
    this.status = 'running';
    this.#abort = undefined;
    this.#failStart = undefined;
    if (this.mailbox.length > 0 || this.#stopReason !== undefined) this.#schedule();
  }

  /** Resolves with `init`; rejects with it, or when the actor ends before. */
  #initialised(pending: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.alive) this.#failStart = reject;
      else reject(undelivered(this));
      this.#settle(pending, resolve, reject);
    });
  }

  /** Waits for a promise of the actor. What comes of it after the actor's end concerns nobody. */
  #settle(pending: Promise<void>, fulfilled: () => void, rejected: (error: unknown) => void): void {
    this.#busy = true;
    if (!this.alive) this.host.abandon(this);
    // What is no promise, although it is something, is over at once.
    Promise.resolve(pending).then(
      () => {
        this.#busy = false;
        if (this.alive) fulfilled();
        else this.host.returned(this);
      },
      (error: unknown) => {
        this.#busy = false;
        if (this.alive) rejected(error);
        else this.host.returned(this);
      },
    );
  }

  /** Where it is in nact's hierarchy. */
  get place(): NactPlace | undefined {
    return this.#place;
  }

  #schedule(): void {
    if (this.#scheduled || this.status === 'waiting' || this.status === 'starting') return;
    this.#scheduled = true;
    this.host.runQueue.add(this);
  }

  /** Handles messages until none is left, one must be waited for, or the slice is over. */
  runSlice(): void {
    this.#scheduled = false;
    if (this.status !== 'running') return;
    const messages = Math.max(minPerSlice, Math.min(maxPerSlice, this.mailbox.length >> 2));
    for (let left = messages; left > 0; left -= 1) {
      if (this.#stopReason !== undefined) return this.#stop(this.#stopReason);
      if (this.mailbox.length === 0) return;
      let pending: void | Promise<void>;
      try {
        pending = this.#deliver(this.mailbox.shift());
      } catch (error) {
        return this.#crash(error);
      }
      if (pending) return this.#wait(pending);
      // A handler may have been told to die by what it did itself.
      if (!this.alive) return;
    }
    this.#schedule();
  }

  #deliver(message: unknown): void | Promise<void> {
    this.handled += 1;
    if (message instanceof CallMessage) {
      const type = messageType(message.message);
      this.lastMessage = type;
      if (type === undefined) return this.host.unexpected(this, message.message, message.from);
      return this.#actor.receive(message.message as Message, message.from);
    }
    if (message instanceof DownMessage) return this.#deliverDown(message.down);
    if (message instanceof ExitMessage) return this.#actor.handleExit(message.exit);
    const type = messageType(message);
    this.lastMessage = type;
    if (type === undefined) return this.host.unexpected(this, message, undefined);
    return this.#actor.receive(message as Message, undefined);
  }

  #deliverDown(down: Down): void | Promise<void> {
    if (this.#monitors?.delete(down.monitor)) return this.#actor.handleDown(down);
    this.handled -= 1; // its monitor was called off while it waited
  }

  #wait(pending: Promise<void>): void {
    if (this.alive) this.status = 'waiting';
    this.#settle(
      pending,
      () => {
        this.status = 'running';
        if (this.mailbox.length > 0 || this.#stopReason !== undefined) this.#schedule();
      },
      (error) => {
        this.status = 'running';
        if (this.#stopReason !== undefined) this.#stop(this.#stopReason);
        else this.#crash(error);
      },
    );
  }

  #crash(error: unknown): void {
    if (!this.alive) return;
    const reason = reasonOf(error);
    if (reason instanceof Error) this.host.reportCrash(this, reason);
    this.#stop(reason);
  }

  #stop(reason: ExitReason): void {
    this.status = 'stopping';
    this.#abort = undefined; // the aborted one was the last handler's
    let ending: void | Promise<void>;
    try {
      ending = this.#actor.terminate(reason);
    } catch (error) {
      return this.#failedToEnd(error);
    }
    if (!ending) return this.die(reason);
    this.#settle(
      ending,
      () => this.die(reason),
      (error) => this.#failedToEnd(error),
    );
  }

  #failedToEnd(error: unknown): void {
    if (!this.alive) return;
    const reason = reasonOf(error);
    if (reason instanceof Error) this.host.reportCrash(this, reason);
    this.die(reason);
  }

  /**
   * The end of this incarnation, at once: nothing reaches it any more, and its name is free before anybody hears of it. Whom it
   * concerns is told when all who ended before it have been told of: a chain of links ends link by link, not call within call.
   */
  die(reason: ExitReason): void {
    if (this.status === 'dead') return;
    this.status = 'dead';
    if (this.#busy) this.host.abandon(this);
    this.host.forget(this);
    this.#abort?.abort();
    for (const timer of valuesOf(this.timers)) timer.cancel();
    for (const monitor of this.#monitors?.values() ?? []) monitor[Symbol.dispose]();
    this.timers = undefined;
    this.#monitors = undefined;
    while (this.mailbox.length > 0) {
      const message = this.mailbox.shift();
      if (!(message instanceof ExitMessage || message instanceof DownMessage))
        this.host.deadLetter(this, 'dead', message);
    }
    this.host.announceEnd(this, reason);
  }

  /** @internal Tells callers, links and watchers, in this order. */
  tellEnd(reason: ExitReason): void {
    if (this.asks) this.#failAll(this.asks, undelivered(this));
    if (this.calls) this.#failAll(this.calls, endFailure(this, reason));
    if (this.#failStart) this.#failStart(reason instanceof Error ? reason : endFailure(this, reason));
    for (const linked of valuesOf(this.links)) {
      if (hasValue(this.links, linked)) this.host.linkExit(this, linked, reason);
    }
    this.links = undefined;
    for (const watcher of valuesOf(this.exitListeners)) {
      // One that was told before may have called this one off.
      if (hasValue(this.exitListeners, watcher)) this.host.notifyExitListener(watcher, this, reason);
    }
    this.exitListeners = undefined;
    this.#leaveHierarchy();
  }

  #failAll(calls: SmallSet<PendingCall>, error: Error): void {
    for (const call of valuesOf(calls)) this.host.failCall(call, this, error);
  }

  /** nact stops an actor's children with it; ours end in their own order, so the parent's nact actor waits for them. */
  #leaveHierarchy(): void {
    let cell = this as unknown as Cell;
    while (cell.#place && cell.status === 'dead' && cell.#runningChildren === 0) {
      cell.#place.stop();
      cell.#place = undefined;
      if (!cell.parent) return;
      cell = cell.parent;
      cell.#runningChildren -= 1;
    }
  }
}
