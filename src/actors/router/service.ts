/**
 * What the rest of the node asks for clients: opening them, acting on them by session id wherever they live,
 * admitting them or not. It belongs to the node and works at once, without a hop through the router actor, which serves other nodes.
 */
import type { Config } from '../../config/types.ts';
import type { IdSource } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import type { SupervisorMessage } from '../../kernel/supervision.ts';
import { type AnyRef, callTimeoutMs, type NodeName, type Ref } from '../../kernel/types.ts';
import { HiveError, toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { ActionCall } from '../../plugins/types.ts';
import { actionsToWire } from '../../protocol/backend/action-call.ts';
import { EventPacket } from '../../protocol/packet.ts';
import type { Drainage } from '../../web/api/api-host.ts';
import type { ClientHandle, OpenRequest, RecoveryHost, SessionHost } from '../../web/client/client-handle.ts';
import { ClientActor } from '../client/client.ts';
import type { ClientServices } from '../client/client-services.ts';
import { publicError } from '../client/public-error.ts';
import { ClientSession, type SessionSetup } from '../client/session.ts';
import type { ClusterView } from '../contracts.ts';
import type { GenServerApi } from '../gen-server/gen-server-api.ts';
import { routerApi } from '../gen-server/handlers.ts';
import { Adoptions } from './adoptions.ts';
import { ChannelAsks } from './channel-asks.ts';
import { ClientRegistry } from './client-registry.ts';
import { ClientsHere } from './clients-here.ts';
import type { Idempotency } from './idempotency.ts';
import { type Closing, Leaving } from './leaving.ts';
import { type ChannelLists, Lists } from './lists.ts';
import { Returning } from './returning.ts';
import type { LocalRoutes, Router } from './router.ts';
import { UserControl } from './user-control.ts';
import { Whereabouts } from './whereabouts.ts';
import { type ClientRequest, expectOk, type RouterAnswer, type RouterMessage, routerName } from './wire-messages.ts';

/** Longer than the store of a client's state may take, ms: it has time-outs of its own. */
const startTimeoutMs = 60_000;

export interface RouterSetup {
  readonly config: Config;
  readonly kernel: Kernel;
  readonly ids: IdSource;
  readonly clients: ClientServices;
  /** The name of the supervisor under which clients are started. */
  readonly supervisor: string;
  readonly cluster: ClusterView;
  readonly channels: ChannelLists;
  readonly idempotency: Idempotency;
  /** As of `LeavingSetup`. */
  readonly farewells: () => readonly (() => void)[];
  /** Why the machine has no room for further clients. */
  readonly obstacle: () => string | undefined;
  /** Ends the node gracefully. */
  readonly stop: (reason: string) => void;
  readonly log: Log;
  readonly metrics: Metrics;
}

export class RouterService implements SessionHost, LocalRoutes {
  readonly erlang: GenServerApi;
  readonly adoptions: Adoptions;
  readonly lists: Lists;
  readonly here: ClientsHere;
  readonly idempotency: Idempotency;
  readonly channelAsks: ChannelAsks;
  readonly users: UserControl;
  readonly #whereabouts: Whereabouts;
  readonly #setup: RouterSetup;
  readonly #sessions: SessionSetup;
  readonly #registry = new ClientRegistry();
  readonly #leaving: Leaving;
  readonly #returning: Returning;
  readonly #log: Log;
  readonly #clusterCalls: Counter;
  readonly #counters: Record<'spawned_clients' | 'requests' | 'routed_msgs' | 'routed_events' | 'errors', Counter>;
  readonly #pubsub: Record<'requests' | 'subscribe' | 'unsubscribe', Counter>;
  /** The node ends: nobody is admitted any more. */
  #stopping = false;

  constructor(setup: RouterSetup) {
    const { config, kernel, metrics } = setup;
    this.#setup = setup;
    this.#log = setup.log.child({ component: 'router' });
    this.idempotency = setup.idempotency;
    this.lists = new Lists(this.#registry, setup.clients, setup.channels);
    const { cluster, clients } = setup;
    this.users = new UserControl({
      kernel,
      cluster,
      router: this,
      users: clients.users,
      config: config.clients,
      log: this.#log,
      metrics,
    });
    this.erlang = routerApi(this, this.#log);
    const names = ['spawned_clients', 'requests', 'routed_msgs', 'routed_events', 'errors'] as const;
    this.#counters = metrics.counters('hive.router', names);
    const here = new ClientsHere({ registry: this.#registry, clients, counters: this.#counters });
    this.here = here;
    this.channelAsks = new ChannelAsks({ kernel, cluster, lists: this.lists, here, log: this.#log });
    this.#clusterCalls = metrics.counter('hive.cluster.calls');
    metrics.gauge('hive.router.current_clients', () => this.#registry.size);
    this.#pubsub = metrics.counters('pubsub', ['requests', 'subscribe', 'unsubscribe']);
    this.adoptions = new Adoptions({
      clients,
      kernel,
      cluster,
      wheel: kernel.wheel,
      start: async (client) => {
        await this.#registry.admit(() => this.#start(client));
        kernel.onExit(client.self, new ClientSession(client, this.#sessions));
      },
      log: this.#log,
      metrics,
    });
    this.#whereabouts = new Whereabouts({
      durable: clients.durable,
      cluster,
      wheel: kernel.wheel,
      isHere: (sid) => this.#registry.any(sid)?.isFenced === false,
      settled: (sid) => this.adoptions.settled(sid),
    });
    const { direct_websocket: directWebsocket, graceful_termination_timeout: graceMs, drain_rate: rate } = config.hive;
    const { farewells } = setup;
    this.#leaving = new Leaving({
      kernel,
      clients,
      registry: this.#registry,
      graceMs,
      rate,
      farewells,
      cluster,
      log: this.#log,
    });
    this.#sessions = {
      kernel,
      directWebsocket,
      routedPackets: this.#counters.routed_msgs,
      ended: (client) => this.#ended(client),
    };
    this.#returning = new Returning({
      clients,
      cluster,
      registry: this.#registry,
      whereabouts: this.#whereabouts,
      adoptions: this.adoptions,
      leaving: this.#leaving,
      sessions: this.#sessions,
      config,
    });
  }

  // --- opening clients

  get wantsHandshakes(): boolean {
    return this.#setup.clients.plugins.wantsHandshakes;
  }

  refusal(mayReturn = false): HiveError | undefined {
    if (!this.#registry.isEnabled) return new HiveError('router_error');
    const { clients, obstacle } = this.#setup;
    if ((this.#isFull && !mayReturn && clients.suspended.size === 0) || obstacle()) return new HiveError('no_slots');
    return undefined;
  }

  get #isFull(): boolean {
    const { config, clients } = this.#setup;
    return this.#registry.slots - clients.departures.departing >= config.hive.max_client_slots;
  }

  async open({ namespace, handshake, isRecoverable }: OpenRequest): Promise<ClientHandle> {
    this.#counters.requests.value += 1;
    const refusal = this.refusal();
    if (refusal) throw refusal;
    const { clients, ids, kernel } = this.#setup;
    if (this.#isFull) clients.suspended.giveUpOne();
    const client = new ClientActor(clients, ids.next(), namespace, handshake, isRecoverable);
    try {
      await this.#registry.admit(() => this.#start(client));
    } catch (error) {
      clients.metrics.errors.value += 1;
      this.#leaving.slotFreed();
      // One that starts too late would belong to nobody.
      if (client.cell?.alive) kernel.exit(client.self, client.self, 'kill');
      throw publicError(toHiveError(error, 'router_error'), client.sid, clients);
    }
    this.#counters.spawned_clients.value += 1;
    const session = new ClientSession(client, this.#sessions);
    kernel.onExit(client.self, session);
    return session;
  }

  // --- clients that return

  get recovery(): RecoveryHost | undefined {
    return this.#setup.clients.recovery && this.#returning;
  }

  /** Resolves when what clients were told to send by now outlives this node, if it can. */
  stored(): Promise<void> | undefined {
    return this.#setup.clients.recovery?.sessions.settled();
  }

  async #start(client: ClientActor): Promise<ClientActor> {
    const { config, kernel, supervisor } = this.#setup;
    const clients = kernel.whereis<SupervisorMessage>(supervisor);
    if (!clients) throw new HiveError('not_running', 'The supervisor of the clients is not running.');
    const shutdown = config.hive.graceful_termination_timeout;
    const child = { id: 'client', start: () => client, restart: 'temporary', shutdown } as const;
    try {
      await kernel.ask(clients, { type: 'start_child', child }, startTimeoutMs);
    } catch (error) {
      this.#setup.clients.users?.remove(client.sid);
      throw error;
    }
    return client;
  }

  #ended(client: ClientActor): void {
    const { departures, users } = this.#setup.clients;
    this.#registry.remove(client);
    this.adoptions.ended(client);
    users?.remove(client.sid);
    departures.left(client);
    // One that was killed could not close its connection itself.
    client.closed('internal_error');
    this.#leaving.gone(client);
  }

  // --- acting on clients, wherever they live

  /**
   * Lets a client run actions. Resolves when it has been told; failures of the actions reach the client.
   * @throws HiveError `bad_session_id` if no connected node knows the client, `cluster_error` or `timeout` if its node fails
   */
  runActions(sid: string, actions: readonly ActionCall[]): Promise<void> {
    return this.#route({ type: 'act', sid, orders: actionsToWire(actions) });
  }

  /**
   * Sends a client an event, behind the actions that wait for its hooks.
   * @throws HiveError as `runActions`
   */
  send(sid: string, { name, argsJson }: EventPacket): Promise<void> {
    return this.#route({ type: 'send', sid, name, args: argsJson });
  }

  /**
   * Ends a client: its connection at once, its session when what waits for its hooks has been handled. It is told not to come back by itself.
   * @throws HiveError as `runActions`
   */
  disconnect(sid: string): Promise<void> {
    return this.#route({ type: 'disconnect', sid });
  }

  /**
   * Lets a client join channels, as if it had the highest privilege. Resolves when a publish made afterwards on any node
   * reaches it.
   * @throws HiveError also what pub-sub refuses
   */
  subscribe(sid: string, channels: readonly string[]): Promise<void> {
    return this.#change('subscribe', sid, channels);
  }

  /** Lets a client leave every channel under these ids or prefixes. */
  unsubscribe(sid: string, channels: readonly string[]): Promise<void> {
    return this.#change('unsubscribe', sid, channels);
  }

  #change(type: 'subscribe' | 'unsubscribe', sid: string, channels: readonly string[]): Promise<void> {
    this.#pubsub.requests.value += 1;
    this.#pubsub[type].value += 1;
    return this.#route({ type, sid, channels });
  }

  /**
   * The client's actor, for those who want to monitor it.
   * @throws HiveError as `act`
   */
  async whereis(sid: string): Promise<AnyRef> {
    return (await this.#ofOwner({ type: 'whereis', sid }, 'client')) ?? this.here.ref(sid);
  }

  /**
   * What operators may see of a client, as JSON text. Does not wait for who claims the sessions of a node that is gone.
   * @throws HiveError as `act`, or what its state manager fails with
   */
  async view(sid: string): Promise<string> {
    if (await this.#whereabouts.isUnclaimed(sid)) {
      const next = 'Its session goes on at another one when the lease of that node has ended.';
      throw new HiveError('cluster_error', `The node of that client is gone. ${next}`);
    }
    return (await this.#ofOwner({ type: 'view', sid }, 'view')) ?? this.here.view(sid);
  }

  /**
   * Sends the client an event, past what waits for its hooks. Resolves to what it acknowledges, as JSON text of an array.
   * @throws HiveError as `act`; `client_suspended`, `timeout`, `overloaded`
   */
  async ask(sid: string, event: EventPacket, timeoutMs: number): Promise<string> {
    const message = { type: 'ask', sid, name: event.name, args: event.argsJson, timeoutMs } as const;
    return (await this.#ofOwner(message, 'answered')) ?? this.here.ask(sid, event, timeoutMs);
  }

  /** Undefined if the session is not that of another node. */
  async #ofOwner<Name extends 'client' | 'view' | 'answered'>(
    message: RouterMessage & { readonly sid: string },
    name: Name,
  ): Promise<Extract<RouterAnswer, Readonly<Record<Name, unknown>>>[Name] | undefined> {
    this.#counters.requests.value += 1;
    const answer = await this.#askOwner(message, message.sid);
    if (!answer) return undefined;
    expectOk(answer);
    if (!(name in answer)) throw new HiveError('cluster_error', 'The node of that client has answered something else.');
    return (answer as Extract<RouterAnswer, Readonly<Record<Name, unknown>>>)[name];
  }

  async #route(message: ClientRequest): Promise<void> {
    this.#counters.requests.value += 1;
    const asked = this.#askOwner(message, message.sid);
    const answer = asked && (await asked);
    if (answer) return expectOk(answer);
    switch (message.type) {
      case 'act':
        return this.here.runActions(message.sid, message.orders);
      case 'send':
        return this.here.send(message.sid, new EventPacket(message.name, message.args));
      case 'disconnect':
        return this.here.disconnect(message.sid);
      default:
        return this.here.change(message.type, message.sid, message.channels);
    }
  }

  /** Undefined, at once or later, and nobody was asked, if the session is not that of another node. */
  #askOwner(message: RouterMessage, sid: string): Promise<RouterAnswer | undefined> | undefined {
    const here = this.#registry.any(sid);
    if (here) return this.#passOn(here, message, sid);
    const { self } = this.#setup.cluster;
    const hasLeft = this.#returning.leaves(sid) === 'now';
    const home = hasLeft ? this.#whereabouts.nextHomeOf(sid, self) : this.#whereabouts.homeOf(sid);
    if (home) return home.then((node) => (node === undefined ? undefined : this.#ask(node, message)));
    const owner = this.#setup.cluster.ownerOf(sid);
    return owner === undefined ? undefined : this.#ask(owner, message);
  }

  /** For a session of this node, unless it turns out to be another one's. */
  #passOn(here: ClientActor, message: RouterMessage, sid: string): Promise<RouterAnswer | undefined> | undefined {
    const uncertain = this.#setup.clients.durable?.certainty();
    if (!uncertain) return here.isFenced ? this.#askNext(message, sid) : undefined;
    return uncertain.then(() => (here.isFenced ? this.#askNext(message, sid) : undefined));
  }

  async #askNext(message: RouterMessage, sid: string): Promise<RouterAnswer | undefined> {
    const node = await this.#whereabouts.nextHomeOf(sid, this.#setup.cluster.self);
    return node && this.#ask(node, message);
  }

  #ask(owner: NodeName, message: RouterMessage): Promise<RouterAnswer> | undefined {
    const { cluster, kernel } = this.#setup;
    if (owner === cluster.self) return undefined;
    this.#clusterCalls.value += 1;
    const router: Ref<RouterMessage> = kernel.remote(owner, routerName);
    return kernel.ask(router, message, message.type === 'ask' ? message.timeoutMs + callTimeoutMs : callTimeoutMs);
  }

  /** What another node asks of a session that this one has handed over or lost is for the next one. */
  elsewhere(message: RouterMessage & { readonly sid: string }): Promise<RouterAnswer | undefined> | undefined {
    const here = this.#registry.any(message.sid);
    if (here) return this.#passOn(here, message, message.sid);
    return this.#setup.clients.durable && this.#askNext(message, message.sid);
  }

  get clients(): number {
    return this.#registry.size;
  }

  misunderstood(): void {
    this.#counters.errors.value += 1;
  }

  // --- admission

  /** @throws HiveError `router_error` if the node is being stopped */
  enable(): void {
    this.#counters.requests.value += 1;
    if (this.#stopping) throw new HiveError('router_error', 'The node is being stopped.');
    this.#registry.isEnabled = true;
    this.#leaving.cancel();
    this.#log.notice('New clients are accepted');
  }

  disable(): void {
    this.#counters.requests.value += 1;
    this.#registry.isEnabled = false;
    this.#log.notice('New clients are refused');
  }

  /**
   * Refuses new clients and asks those of this node to leave: they run `on_terminate` with the reason, and end when they
   * like, at once if they have no such hooks, at the latest after `hive.graceful_termination_timeout`. Resolves when they
   * have gone, or have been told to end then; `enable` calls it off.
   */
  async terminate(reason: string): Promise<void> {
    this.disable();
    await this.#leaving.terminate(reason);
  }

  /** Lets the clients leave for good: nobody is admitted any more. See `Leaving`. */
  async close(reason: string): Promise<void> {
    this.#stopping = true;
    this.disable();
    await this.#leaving.close(reason);
  }

  /** In place of what `close` has left, when nobody can reach this node any more. See `Leaving`. */
  release(reason: string): Promise<void> {
    return this.#leaving.release(reason);
  }

  /**
   * Refuses new clients, and hands over the sessions that can go on at other nodes; the others stay. `enable` calls it off.
   * @throws HiveError `router_error` if the node is being stopped
   */
  drain(): void {
    if (this.#stopping) throw new HiveError('router_error', 'The node is being stopped.');
    this.disable();
    void this.#leaving.drain();
  }

  get drainage(): Drainage {
    const { handsOver, toHandOver, stays = null } = this.#leaving;
    return { admits: this.admits, handing_over: handsOver, connections: toHandOver, clients: this.clients, stays };
  }

  /** How far `close` is. */
  get closing(): Closing {
    return this.#leaving.closing;
  }

  /** Whether clients may come. */
  get admits(): boolean {
    return this.#registry.isEnabled;
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  stop(reason: string): void {
    this.#setup.stop(reason);
  }

  started(router: Router): void {
    const { metrics } = this.#setup;
    metrics.gauge('hive.router.uptime', () => router.cell.ageMs, 'max');
    metrics.gauge('hive.router.msg_queue_length', () => router.queueLength);
  }
}
