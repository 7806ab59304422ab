/**
 * How the clients of a node leave: because an operator asks them to, or because the node stops. Then those whose sessions can go on at
 * another node are handed over, in waves, when the others have departed:
 *
 *   close    those that cannot return: on_terminate, on_disconnect, ended
 *            the others: connection closed, suspended, `hive.drain_rate` per second
 *   (servers are closed)
 *   release  records and journal are in Redis; the sessions end here without a word, and the lease is given up
 *
 * A session is handed over from the moment when it is suspended: who is asked for it may claim it once the node has gone.
 */
import type { Kernel } from '../../kernel/kernel.ts';
import { events } from '../../observe/events.ts';
import type { Log } from '../../observe/logger.ts';
import type { ClientActor } from '../client/client.ts';
import type { ClientServices } from '../client/client-services.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';
import type { ClientRegistry } from './client-registry.ts';
import { leaveKept } from './leave-kept.ts';
import { Termination } from './termination.ts';
import { Waves } from './waves.ts';

/** At least so long hooks are waited for that run when the connection is closed, ms. */
const minSettleMs = 1000;
/** Until it is looked for Redis again, ms. */
const tryAgainMs = 100;

export interface LeavingSetup {
  readonly kernel: Kernel;
  readonly clients: ClientServices;
  readonly registry: ClientRegistry;
  /** `hive.graceful_termination_timeout` */
  readonly graceMs: number;
  /** `hive.drain_rate` */
  readonly rate: number;
  /** For each client that is here and has its session elsewhere: ends its connection. */
  readonly farewells: () => readonly (() => void)[];
  readonly cluster: Pick<ClusterTable, 'nodes' | 'nodeOf'>;
  readonly log: Log;
}

/** What the end of a node waits for. */
export interface Closing {
  /** Clients that have not ended, but for those that are handed over. */
  readonly clients: number;
  /** Those of them whose `on_disconnect` runs. */
  readonly leaving: number;
  /** Clients that have ended, but no back end has answered their `on_disconnect`. */
  readonly departures: number;
  /** Clients whose sessions go on elsewhere, and whose connections are not closed yet. */
  readonly toHandOver: number;
  /** Until the rest is cut off, ms. */
  readonly leftMs: number;
}

export class Leaving {
  readonly #setup: LeavingSetup;
  readonly #terminations = new Set<Termination>();
  /** Those that are to depart before the node ends. */
  #departing = new Set<ClientActor>();
  #isClosing = false;
  /** When the last ones are cut off, on the clock of `performance.now()`. */
  #deadline = 0;
  /** Clients do not get their sessions back here any more: they wait for the node that goes on with them. */
  handsOver = false;
  #whenEmpty = (): void => {};
  #whenReleased = (): void => {};
  /** Resolves when the sessions that are handed over are not here any more, or stay after all. */
  released: Promise<void> | undefined;
  /** Sessions that have been left to others. */
  readonly moved = new Set<string>();
  /** Why sessions stay although nobody is admitted; undefined if they do not, or that is not the question. */
  stays: string | undefined;
  #waves: Waves | undefined;
  #draining: Promise<void> | undefined;

  constructor(setup: LeavingSetup) {
    this.#setup = setup;
  }

  /**
   * Asks those who are there to leave: they run `on_terminate` with the reason, and end when they like, at once if they have no such
   * hooks, at the latest after `hive.graceful_termination_timeout`. Resolves when they have gone, or have been told to end then.
   */
  async terminate(reason: string, clients: readonly ClientActor[] = this.#setup.registry.all()): Promise<void> {
    const { kernel, graceMs, log } = this.#setup;
    log.notice('The clients are asked to leave', { clients: clients.length });
    const termination = new Termination(kernel, clients, reason, graceMs);
    this.#terminations.add(termination);
    await termination.done;
    this.#terminations.delete(termination);
  }

  /** Whoever was asked to leave and is still there may stay. */
  cancel(): void {
    for (const termination of this.#terminations) termination.cancel();
    this.stays = undefined;
    if (this.#draining) this.#keep();
  }

  // --- out of rotation

  /** Hands the sessions over, and goes on without them. Resolves when that is done, cannot be done, or was called off by `cancel`. */
  drain(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const { clients, log } = this.#setup;
    const { durable, memberships } = clients;
    if (!durable || !clients.recovery) this.stays = 'sessions are not durable';
    else if (durable.problem !== undefined) this.stays = `sessions are not durable: ${durable.problem}`;
    else if (this.#others === 0) this.stays = 'no other node is connected';
    else this.stays = undefined;
    if (!durable || this.stays !== undefined) return log.notice(`The clients stay: ${this.stays}`);
    await this.#handOver();
    if (!this.handsOver || this.#isClosing) return;
    memberships.keepOwn?.(true);
    const isReleased = await this.#release();
    if (isReleased) await durable.moveOn();
    memberships.keepOwn?.(false);
    if (isReleased) log.notice('The sessions have been handed over');
    else this.stays = 'Redis does not have their sessions';
    if (this.stays !== undefined) log.warning(`The sessions stay: ${this.stays}`);
    this.#keep();
  }

  /** Clients get their sessions here again, if these are here. */
  #keep(): void {
    this.handsOver = false;
    this.#waves?.cancel();
    this.#whenReleased();
  }

  /** Other nodes that are connected. */
  get #others(): number {
    return this.#setup.cluster.nodes().length - 1;
  }

  /** Connections that are to be closed, of those whose sessions are handed over. */
  get toHandOver(): number {
    return this.handsOver ? this.#toHandOver(hasConnection).length : 0;
  }

  /** Redis may be away, and come back. */
  async #releaseInTime(): Promise<boolean> {
    const { clients, graceMs, kernel } = this.#setup;
    for (const deadline = performance.now() + graceMs; ; ) {
      if (await this.#release()) return true;
      if (performance.now() > deadline) return false;
      await new Promise<void>((resolve) => kernel.wheel.schedule(tryAgainMs, resolve));
      await clients.durable!.renew();
    }
  }

  /** Sessions that can be handed over end here without a word. Resolves to whether Redis has all that others need. */
  async #release(): Promise<boolean> {
    const { clients } = this.#setup;
    const durable = clients.durable!;
    const handed = this.#toHandOver(() => true);
    await this.#settle(handed);
    if (!(await durable.handOver())) return false;
    for (const { sid } of handed) {
      this.moved.add(sid);
      durable.leave(sid);
    }
    this.#announce(true, handed);
    return true;
  }

  #announce(isOver: boolean, { length: sessions }: readonly ClientActor[]): void {
    if (events.drain.hasSubscribers) events.drain.publish({ node: this.#setup.kernel.node, isOver, sessions });
  }

  // --- the end of the node

  /** The client has ended. */
  gone(client: ClientActor): void {
    this.#departing.delete(client);
    for (const termination of this.#terminations) termination.gone(client);
    this.slotFreed();
  }

  slotFreed(): void {
    if (this.#isEmpty) this.#whenEmpty();
  }

  get #isEmpty(): boolean {
    const { registry, clients } = this.#setup;
    return this.#departing.size === 0 && registry.size === registry.slots && clients.departures.waiting === 0;
  }

  /**
   * Resolves when those that are to depart have ended and back ends have answered their `on_disconnect`, at the latest after
   * `hive.graceful_termination_timeout` twice, and the connections of the others are closed.
   */
  async close(reason: string): Promise<void> {
    const { registry, clients } = this.#setup;
    const { durable } = clients;
    this.#isClosing = true;
    this.#waves?.cancel();
    await this.#draining;
    this.handsOver = durable !== undefined && durable.problem === undefined;
    clients.departures.hurry();
    await this.#depart(
      reason,
      registry.all().filter((client) => !this.#isHandedOver(client)),
    );
    if (this.handsOver) await this.#handOver();
    else this.#giveUpRest();
  }

  /** Ends what `close` has left: the sessions that others go on with, or, if Redis has gone away, their departures. */
  async release(reason: string): Promise<void> {
    const { clients, cluster, kernel, log } = this.#setup;
    const { durable, recovery, memberships } = clients;
    if (this.handsOver) await this.#releaseAll(reason);
    if (durable && recovery) await leaveKept({ durable, memberships, cluster, wheel: kernel.wheel, log });
  }

  async #releaseAll(reason: string): Promise<void> {
    const { durable, memberships } = this.#setup.clients;
    await durable!.endSweeps();
    memberships.keepOwn?.(true);
    if (!(await this.#releaseInTime())) {
      memberships.keepOwn?.(false);
      const handed = this.#toHandOver(() => true);
      this.#setup.log.warning('Sessions cannot be handed over, as Redis does not have them: they depart', {
        clients: handed.length,
      });
      this.handsOver = false;
      await this.#depart(reason, handed);
    }
    this.#giveUpRest();
    this.#whenReleased();
  }

  /** How far `close` is. */
  get closing(): Closing {
    const { registry, clients } = this.#setup;
    const { toHandOver } = this;
    let leaving = 0;
    let handed = 0;
    for (const client of registry.all()) {
      if (client.isLeaving) leaving += 1;
      if (this.#isHandedOver(client)) handed += 1;
    }
    const leftMs = Math.max(0, this.#deadline - performance.now());
    const { waiting: departures } = clients.departures;
    return { clients: registry.slots - handed, leaving, departures, toHandOver, leftMs };
  }

  async #depart(reason: string, leaving: readonly ClientActor[]): Promise<void> {
    const { clients, kernel, graceMs } = this.#setup;
    this.#deadline = performance.now() + 2 * graceMs;
    this.#departing = new Set(leaving);
    await this.terminate(reason, leaving);
    if (this.#isEmpty) return;
    await new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
      clients.departures.onEmpty(() => this.slotFreed());
      kernel.wheel.schedule(this.#deadline - performance.now(), resolve);
    });
  }

  /** Clients are cut off, and departures given up. */
  #giveUpRest(): void {
    const { clients, kernel, registry, log } = this.#setup;
    // Those that go on elsewhere are about to be gone.
    const left = registry.all().filter((client) => !this.#isHandedOver(client) && !this.moved.has(client.sid));
    clients.durable?.leaveRest();
    const lost = clients.departures.close();
    if (lost > 0) log.warning('No back end has answered on_disconnect: it is given up', { clients: lost });
    if (left.length === 0) return;
    log.warning('Clients are cut off, their on_disconnect unfinished', { clients: left.length });
    for (const { cell } of left) kernel.exit(cell.parent ?? cell, cell, 'kill');
  }

  // --- sessions that go on elsewhere

  #isHandedOver(client: ClientActor): boolean {
    return this.handsOver && client.output.isRecoverable && !client.isEnding;
  }

  #toHandOver(also: (client: ClientActor) => boolean): ClientActor[] {
    return this.#setup.registry.all().filter((client) => this.#isHandedOver(client) && also(client));
  }

  async #handOver(): Promise<void> {
    const { kernel, rate, log } = this.#setup;
    this.handsOver = true;
    this.released = new Promise((resolve) => {
      this.#whenReleased = resolve;
    });
    this.#announce(
      false,
      this.#toHandOver(() => true),
    );
    const connected = this.#toHandOver(hasConnection);
    if (connected.length > 0) log.notice('Sessions are handed over', { clients: connected.length, per_second: rate });
    const ends = this.#ends(connected);
    let isOver = false;
    const next = (): boolean => {
      const { done: none = false, value: end } = ends.next();
      end?.();
      isOver = none;
      return !none;
    };
    // Where nobody can go to another node, there is nobody to spare.
    this.#waves = new Waves(kernel.wheel, () => (this.#others > 0 ? rate : Number.POSITIVE_INFINITY));
    await this.#waves.run(next);
    this.#waves = undefined;
    // Called off, or to be done at the end of the node.
    if (isOver) await this.#settle(this.#toHandOver(hasConnection));
  }

  /** What ends the connections that are here: first those of sessions that are here. */
  *#ends(clients: readonly ClientActor[]): Generator<() => void, void> {
    for (const client of clients) {
      if (hasConnection(client) && this.#isHandedOver(client)) yield () => void client.self.tell({ type: 'hand_over' });
    }
    yield* this.#setup.farewells();
  }

  /** What waits for their hooks is handled first, if that does not take too long. */
  async #settle(clients: readonly ClientActor[]): Promise<void> {
    const { kernel } = this.#setup;
    const patienceMs = Math.max(minSettleMs, this.#deadline - performance.now());
    const settled = clients.map((client) =>
      kernel.ask(client.self, { type: 'hand_over' }, patienceMs).catch(() => client.handOver()),
    );
    await Promise.all(settled);
  }
}

/** It has a connection, or is getting one. */
function hasConnection({ output }: ClientActor): boolean {
  return output.phase !== 'suspended';
}
