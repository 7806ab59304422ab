/**
 * The actor kernel of one node: it starts actors, knows them by address and by name, and carries signals between them. The
 * rest of the system sees `Actor`, `Ref` and this class.
 */
import { HiveError } from '../observe/errors.ts';
import { events } from '../observe/events.ts';
import type { Log } from '../observe/logger.ts';
import { type Counter, Metrics } from '../observe/metrics.ts';
import { RepeatedLog } from '../observe/repeated.ts';
import { stackOf } from '../observe/thrown.ts';
import { type Behaviour, ignore } from './behaviour.ts';
import { Cell, type CellHost } from './cell.ts';
import { type CrashReport, CrashReports } from './crash-reports.ts';
import { type ExitListener, Listening, LocalMonitor, nothing, notify } from './exit-listener.ts';
import { undelivered } from './failures.ts';
import { type AbandonedHandler, type Inspection, inspectState } from './inspection.ts';
import { CallMessage, type DeadLetterReason, deadLetterReasons, messageType, PendingCall } from './messages.ts';
import { NactSystem } from './nact.ts';
import { NamedRef, type RefHost, RemoteRef } from './remote-ref.ts';
import { withoutValue } from './small-set.ts';
import { TimingWheel } from './timers.ts';
import type { Transport } from './transport.ts';
import {
  type AnyRef,
  type Call,
  callTimeoutMs,
  type Down,
  type ExitReason,
  type From,
  type NodeName,
  type Ref,
} from './types.ts';

/** What can be started: an `Actor`. */
export interface Startable<Message> extends Behaviour<Message> {
  cell: Cell<Message, Kernel>;
}

export interface SpawnOptions {
  /** What the actor is, for people: its child id, `client`, `channel`, … */
  readonly label?: string;
  /** Registers the actor before `init` runs; a taken name makes the start fail with `already_started`. */
  readonly name?: string;
  /** The actor under which it lives and to which it is linked. */
  readonly parent?: AnyRef;
}

export interface KernelOptions {
  readonly node: string;
  /** The number of this boot; ≥ 4, random by default, so that references to a former boot are dead. */
  readonly creation?: number;
  readonly log: Log;
  readonly metrics?: Metrics;
}

export class Kernel implements CellHost, RefHost {
  readonly node: NodeName;
  readonly creation: number;
  readonly wheel = new TimingWheel();
  readonly log: Log;
  readonly #system = new NactSystem();
  /** @internal */
  readonly runQueue = this.#system.runQueue;
  readonly #cells = new Map<number, Cell>();
  readonly #names = new Map<string, Cell>();
  readonly #abandoned = new Map<Cell, number>();
  readonly #crashReports = new CrashReports();
  readonly #deadLetters: Counter;
  readonly #deadLettersBy: Readonly<Record<DeadLetterReason, Counter>>;
  readonly #crashes: Counter;
  readonly #unexpected: Counter;
  /** Around the time that it runs not all actors are there, and other nodes speak to them all the same: no reason to warn. */
  phase: 'starting' | 'running' | 'stopping' = 'running';
  /** For what others may cause again and again. */
  readonly repeated = new RepeatedLog((ms, callback) => this.wheel.schedule(ms, callback));
  /** Actors that have ended and whose ends are not all told, in that order. */
  readonly #ends: { readonly cell: Cell<never>; readonly reason: ExitReason }[] = [];
  #tellingEnds = false;
  #transport: Transport | undefined;
  #lastId = 0;
  #lastMonitor = 0;

  constructor(options: KernelOptions) {
    this.node = options.node as NodeName;
    this.creation = options.creation ?? 4 + Math.floor(Math.random() * (2 ** 32 - 4));
    this.log = options.log;
    const metrics = options.metrics ?? new Metrics();
    this.#deadLetters = metrics.counter('hive.actors.dead_letters');
    const reasons = Object.keys(deadLetterReasons) as DeadLetterReason[];
    this.#deadLettersBy = metrics.counters('hive.dead_letters', reasons);
    this.#crashes = metrics.counter('hive.actors.crashes');
    this.#unexpected = metrics.counter('hive.actors.unexpected');
    metrics.gauge('hive.actors.running', () => this.#cells.size);
    metrics.gauge('hive.total_processes', () => this.#cells.size); // its name of 2014
    metrics.gauge('hive.actors.abandoned', () => this.#abandoned.size);
  }

  /** Connects the kernel with other nodes. */
  set transport(transport: Transport | undefined) {
    this.#transport = transport;
  }

  get transport(): Transport | undefined {
    return this.#transport;
  }

  // --- starting and finding actors

  /**
   * Starts an actor; resolves when `init` is done, to undefined if it threw `ignore`. Rejects with what `init` threw, or
   * `already_started` for a taken name.
   */
  async spawn<M>(actor: Startable<M>, options: SpawnOptions = {}): Promise<Ref<M> | undefined> {
    const parent = options.parent as Cell | undefined;
    const label = options.label ?? options.name ?? actor.constructor.name;
    if (parent && !parent.alive) throw undelivered(parent);
    if (options.name !== undefined && this.#names.has(options.name)) {
      throw new HiveError('already_started', `An actor named ${options.name} is running already.`);
    }
    this.#lastId += 1;
    const [id, serial] = [this.#lastId % 2 ** 28, Math.floor(this.#lastId / 2 ** 28)];
    const cell = new Cell<M, Kernel>(this, id, serial, label, actor, parent);
    actor.cell = cell;
    this.#cells.set(this.#lastId, cell as unknown as Cell);
    if (options.name !== undefined) this.#register(options.name, cell as unknown as Cell);
    if (parent) {
      cell.linkTo(parent);
      parent.linkTo(cell);
    }
    try {
      await cell.start(this.#system.spawn(this.#lastId, parent?.place));
    } catch (error) {
      cell.die('noproc'); // no effect unless nact refused it
      if (error === ignore) return undefined;
      throw error;
    }
    return cell;
  }

  #register(name: string, cell: Cell): void {
    this.#names.set(name, cell);
    cell.name = name;
  }

  whereis<M = never>(name: string): Ref<M> | undefined {
    return this.#names.get(name) as Ref<M> | undefined;
  }

  /** The names that are registered now. */
  registered(): string[] {
    return [...this.#names.keys()];
  }

  /** The actor of this node with that address; undefined if it has ended or never was. */
  local(id: number, serial: number, creation: number): AnyRef | undefined {
    if (creation !== this.creation) return undefined;
    return this.#cells.get(serial * 2 ** 28 + id);
  }

  /** @internal The running actors, in the order of their start. */
  cells(): IterableIterator<Cell> {
    return this.#cells.values();
  }

  /** The address of whoever is registered under a name on a node (this one included) at the time of each message. */
  remote<M>(node: NodeName, name: string): NamedRef<M> {
    return new NamedRef<M>(this, node, name);
  }

  /** The address of an actor on another node. */
  remotePid<M>(node: NodeName, id: number, serial: number, creation: number): Ref<M> {
    return new RemoteRef<M>(this, node, id, serial, creation);
  }

  // --- calls

  /** `Actor.ask` for those who are no actors: web handlers, tests. */
  ask<M, Reply>(to: Ref<M>, message: M & Call<Reply>, timeoutMs: number = callTimeoutMs): Promise<Reply> {
    return this.askFrom<Reply>(undefined, to, message, timeoutMs);
  }

  /** `ask` without a promise, for hot paths: one of the callbacks is called once, perhaps before this returns. */
  askThen<M, Reply>(
    to: Ref<M>,
    message: M & Call<Reply>,
    timeoutMs: number,
    answered: (reply: Reply) => void,
    failed: (error: unknown) => void,
  ): void {
    to.call(message, new PendingCall(this.wheel, timeoutMs, undefined, answered as (value: never) => void, failed));
  }

  /** @internal */
  askFrom<Reply>(caller: Cell<never> | undefined, to: AnyRef, message: unknown, timeoutMs: number): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      const asker = caller as Cell | undefined;
      const call = new PendingCall(this.wheel, timeoutMs, asker, resolve as (value: never) => void, reject);
      if (asker && !asker.alive) return call.fail(undelivered(asker));
      if (asker && this.#local(to) === asker) return call.fail(new Error(`The actor ${asker.label} calls itself.`));
      to.call(message as never, call);
    });
  }

  // --- signals

  /** Sends an exit signal; `from` is who it seems to come from. */
  exit(from: AnyRef, to: AnyRef, reason: ExitReason): void {
    const local = this.#local(to);
    if (local) local.signalExit(from, reason);
    else this.#far(to, (pid) => pid && this.#transport?.exit(from, pid, reason));
  }

  /** Whoever is behind a reference, if it is an actor of this node. */
  #local(ref: AnyRef): Cell | undefined {
    if (ref instanceof Cell) return ref;
    return ref instanceof NamedRef && ref.node === this.node ? this.#names.get(ref.name) : undefined;
  }

  /** The pid behind a reference to another node, at once if it is one; undefined: nobody bears the name. */
  #far(ref: AnyRef, found: (pid: AnyRef | undefined) => void): void {
    if (!(ref instanceof NamedRef)) found(ref);
    else if (this.#transport && ref.node !== this.node) this.#transport.whereis(ref.address, found);
    else found(undefined);
  }

  /** @internal An actor is dead. Whoever ends by what others are told is told of after them. */
  announceEnd(cell: Cell<never>, reason: ExitReason): void {
    this.#ends.push({ cell, reason });
    if (this.#tellingEnds) return;
    this.#tellingEnds = true;
    for (let at = 0; at < this.#ends.length; at += 1) {
      const end = this.#ends[at]!;
      end.cell.tellEnd(end.reason);
    }
    this.#ends.length = 0;
    this.#tellingEnds = false;
  }

  /** @internal The end of one half of a link. */
  linkExit(from: Cell<never>, linked: AnyRef, reason: ExitReason): void {
    if (linked instanceof Cell) linked.signalLinkExit(from, reason);
    else this.#transport?.linkExit(from, linked, reason);
  }

  /**
   * Asks an actor to end (`gen_server:stop`): `terminate` runs. Resolves with its exit reason; `noproc` if it was dead,
   * `noconnection` if its node is not connected.
   */
  stop(ref: AnyRef, reason: ExitReason = 'normal'): Promise<ExitReason> {
    return new Promise((resolve) => {
      const local = this.#local(ref);
      if (!local && ref.node !== this.node) {
        const target = ref instanceof NamedRef ? ref.address : ref;
        if (this.#transport) this.#transport.stop(target, reason, resolve);
        else resolve('noconnection');
        return;
      }
      this.onExit(local ?? ref, resolve);
      local?.requestStop(reason);
    });
  }

  /** Tells `watcher` once, when the actor of this node ends (at once with `noproc` if it has), unless what is returned is disposed of before. */
  onExit(ref: AnyRef, watcher: ExitListener): Disposable {
    const local = this.#local(ref);
    if (!local?.alive) {
      queueMicrotask(() => notify(watcher, 'noproc'));
      return nothing;
    }
    return new Listening(local, watcher);
  }

  /** @internal What a watcher throws is its own fault, and must not stop the others from being told. */
  notifyExitListener(watcher: ExitListener, ended: Cell<never>, reason: ExitReason): void {
    try {
      notify(watcher, reason);
    } catch (error) {
      this.#reportTelling('A watcher', ended, error);
    }
  }

  /** @internal The same for callers. */
  failCall(call: PendingCall, ended: Cell<never>, failure: Error): void {
    try {
      call.fail(failure);
    } catch (error) {
      this.#reportTelling('A caller', ended, error);
    }
  }

  #reportTelling(who: string, ended: Cell<never>, error: unknown): void {
    if (this.log.excess(`${who} of an actor that has ended failed`, ended.actor.constructor.name, 'critical')) return;
    this.log.critical(`${who} of ${ended.label} failed`, { error: stackOf(error) });
  }

  /** A link from an actor of another node; false if the local actor is dead. */
  linkFrom(remote: AnyRef, local: AnyRef): boolean {
    if (!(local instanceof Cell) || !local.alive) return false;
    local.linkTo(remote);
    return true;
  }

  unlinkFrom(remote: AnyRef, local: AnyRef): void {
    if (local instanceof Cell) local.links = withoutValue(local.links, remote);
  }

  /** An exit signal that an actor of another node sent. */
  signalExit(from: AnyRef, local: AnyRef, reason: ExitReason): void {
    if (local instanceof Cell) local.signalExit(from, reason);
  }

  /** The end of an actor of another node to which a local one is linked. */
  signalLinkExit(from: AnyRef, local: AnyRef, reason: ExitReason): void {
    if (local instanceof Cell) local.signalLinkExit(from, reason);
  }

  /** The Down of a monitor that a local actor has on another node. */
  signalDown(watcher: AnyRef, down: Down): void {
    if (watcher instanceof Cell) watcher.signalDown(down);
  }

  /** @internal */
  nextMonitor(): number {
    this.#lastMonitor += 1;
    return this.#lastMonitor;
  }

  /** @internal */
  startMonitor(watcher: Cell<never>, monitor: number, target: AnyRef): Disposable {
    const here = this.#local(target);
    if (here) {
      const local = new LocalMonitor(watcher, monitor, here, target);
      this.onExit(here, local);
      return local;
    }
    const isHere = target.node === this.node && target instanceof NamedRef;
    if (!this.#transport || isHere) {
      const reason = isHere ? 'noproc' : 'noconnection';
      queueMicrotask(() => watcher.signalDown({ monitor, ref: target, reason }));
      return nothing;
    }
    const remote = target instanceof NamedRef ? target.address : target;
    this.#transport.monitor(watcher, monitor, remote);
    return { [Symbol.dispose]: () => this.#transport?.demonitor(watcher, monitor, remote) };
  }

  /** @internal Whoever is behind a reference, at once unless it is a name on another node; undefined: nobody bears the name. */
  resolve(ref: AnyRef, found: (ref: AnyRef | undefined) => void): void {
    const local = this.#local(ref);
    if (local) found(local);
    else this.#far(ref, found);
  }

  /** @internal */
  linkBack(from: Cell<never>, target: AnyRef): void {
    if (target instanceof NamedRef) {
      const isAway = target.node !== this.node && !this.#transport;
      from.signalLinkExit(target, isAway ? 'noconnection' : 'noproc');
    } else if (!(target instanceof Cell)) {
      if (this.#transport) this.#transport.link(from, target);
      else from.signalLinkExit(target, 'noconnection');
    } else if (target.alive) target.linkTo(from);
    else from.signalLinkExit(target, 'noproc');
  }

  /** @internal */
  unlinkBack(from: Cell<never>, target: AnyRef): void {
    if (target instanceof Cell) target.links = withoutValue<AnyRef>(target.links, from);
    else this.#transport?.unlink(from, target);
  }

  // --- what happens to actors

  /** @internal */
  forget(cell: Cell<never>): void {
    this.#cells.delete(cell.serial * 2 ** 28 + cell.id);
    if (cell.name !== undefined && this.#names.get(cell.name) === cell) this.#names.delete(cell.name);
  }

  /** @internal */
  deadLetter(to: AnyRef, reason: DeadLetterReason, received: unknown): void {
    this.#deadLetters.value += 1;
    this.#deadLettersBy[reason].value += 1;
    const early = this.phase === 'starting' && reason === 'unknown_name';
    const late = this.phase === 'stopping' && reason !== 'full';
    if (!early && !late && this.repeated.counts(reason)) return;
    const message = received instanceof CallMessage ? received.message : received;
    const fields = { to: `${to}`, reason, type: messageType(message) ?? 'none' };
    if (early || late) return this.log.debug(`A message came too ${early ? 'early' : 'late'}`, fields);
    this.repeated.begin(this.log, deadLetterReasons[reason], reason, 'A message reached nobody', fields);
  }

  /** @internal An actor has no use for a message. What it holds may be somebody's secret; only its type is told. */
  unexpected(cell: Cell<never>, message: unknown, from: From | undefined): void {
    this.#unexpected.value += 1;
    const type = messageType(message) ?? 'none';
    const kind = cell.actor.constructor.name;
    this.repeated.warn(this.log, kind, `A message that a ${kind} does not understand`, { pid: `${cell}`, type });
    from?.fail(new HiveError('bad_request', `A ${kind} does not understand this message.`));
  }

  /** Whether a local actor takes that from other nodes. */
  admits(to: AnyRef, message: unknown): boolean {
    return to instanceof Cell && to.admits(message);
  }

  /** What another node has sent to a local actor; see `Actor.admits`. */
  foreign(to: AnyRef, message: unknown, from: From | undefined): void {
    if (to instanceof Cell) to.foreign(message, from);
  }

  /** @internal */
  reportCrash(cell: Cell<never>, reason: Error): void {
    this.#crashes.value += 1;
    const report = this.#crashReports.add(cell, reason);
    if (events.crash.hasSubscribers) events.crash.publish({ node: this.node, ...report });
    if (this.log.excess('An actor crashed', cell.actor.constructor.name, 'error')) return;
    this.log.crash(`${cell.label} ${cell} crashed: ${reason.message}`, report);
  }

  /** The last crashes, newest first. */
  crashReports(): CrashReport[] {
    return this.#crashReports.list();
  }

  /** @internal */
  abandon(cell: Cell<never>): void {
    this.#abandoned.set(cell, performance.now());
  }

  /** @internal */
  returned(cell: Cell<never>): void {
    this.#abandoned.delete(cell);
  }

  /** Handlers of ended actors that have not returned yet. */
  abandoned(): AbandonedHandler[] {
    const now = performance.now();
    return Array.from(this.#abandoned, ([cell, since]) => ({
      pid: cell.toString(),
      label: cell.label,
      path: cell.path,
      lastMessage: cell.lastMessage,
      ageMs: Math.round(now - since),
    }));
  }

  inspect(ref: AnyRef): Inspection | undefined {
    if (!(ref instanceof Cell) || !ref.alive) return undefined;
    return {
      pid: ref.toString(),
      label: ref.label,
      name: ref.name,
      path: ref.path,
      status: ref.status,
      restarts: ref.restarts,
      ageMs: ref.ageMs,
      mailbox: { length: ref.mailbox.length, peak: ref.mailbox.peak },
      handled: ref.handled,
      lastMessage: ref.lastMessage,
      state: inspectState(ref),
    };
  }

  /** Kills what still runs, in no order and without termination. For the very end, when the root supervisor has stopped. */
  halt(): void {
    for (const cell of [...this.#cells.values()]) cell.die('killed');
    this.wheel.stop();
    this.#system.stop();
  }
}
