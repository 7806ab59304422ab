/** Clients in a kernel, with everything around them faked: connections that record, back ends that are functions. */

import { ClientServices } from '../../src/actors/client/client-services.ts';
import type { DepartureTable } from '../../src/actors/client/departure-table.ts';
import { Departures } from '../../src/actors/client/departures.ts';
import type { ClientActorMessage } from '../../src/actors/client/messages.ts';
import type { ClusterView, Memberships } from '../../src/actors/contracts.ts';
import { Idempotency } from '../../src/actors/router/idempotency.ts';
import { Router } from '../../src/actors/router/router.ts';
import { RouterService } from '../../src/actors/router/service.ts';
import { routerName } from '../../src/actors/router/wire-messages.ts';
import type { Config } from '../../src/config/types.ts';
import { IdSource, tagIn } from '../../src/kernel/ids.ts';
import type { ChildInfo, SupervisorMessage } from '../../src/kernel/supervision.ts';
import type { NodeName, Ref } from '../../src/kernel/types.ts';
import type { Log } from '../../src/observe/logger.ts';
import { PluginSet } from '../../src/plugins/plugin-set.ts';
import { PluginRegistry } from '../../src/plugins/registry.ts';
import type { ServerPacket } from '../../src/protocol/packet.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import { DynamicSupervisor } from '../../src/supervisors/dynamic-supervisor.ts';
import type { ClientHandle, CloseReason, Handshake, Sink } from '../../src/web/client/client-handle.ts';
import type { TestKernel } from './actors.ts';
import { type Asked, brief, clientConfig, type FakeServices, fakeServices } from './plugins.ts';

/** A connection that remembers. */
export class FakeSink implements Sink {
  readonly packets: ServerPacket[] = [];
  /** What ends each of them. */
  readonly tails: string[] = [];
  readonly channels = new Set<string>();
  readonly bufferedBytes = 0;
  ended: CloseReason | undefined;

  get sent(): string[] {
    return this.packets.map(brief);
  }
  /** The errors that the client was told. */
  get errors(): { error: string; description: string }[] {
    return this.packets.flatMap((packet) =>
      packet.type === 'event' && packet.name === 'hive_error' ? JSON.parse(packet.argsJson) : [],
    );
  }
  send(packet: ServerPacket, tail = ''): void {
    if (this.ended !== undefined) return;
    this.packets.push(packet);
    this.tails.push(tail);
  }
  join(channel: string): void {
    this.channels.add(channel);
  }
  leave(channel: string): void {
    this.channels.delete(channel);
  }
  end(reason: CloseReason): void {
    this.ended ??= reason;
  }
}

export const handshake: Handshake = {
  auth: { token: 't' },
  query: {},
  headers: {},
  address: '127.0.0.1',
  transport: 'websocket',
  protocol: 'eio4',
};

export interface ClientsOptions {
  readonly clients?: Partial<Config['clients']>;
  readonly hive?: Partial<Config['hive']>;
  readonly answer?: (asked: Asked) => unknown;
  readonly memberships?: Memberships;
  readonly registry?: PluginRegistry;
  /** Further nodes: tag of their session ids → name. */
  readonly peers?: Record<string, string>;
}

export interface Clients {
  readonly kernel: TestKernel;
  readonly services: FakeServices;
  readonly router: RouterService;
  readonly departures: DepartureTable;
  readonly supervisor: Ref<SupervisorMessage>;
  /** What was asked of pub-sub: `join a,b private`. */
  readonly changes: string[];
  open(namespace?: string): Promise<ClientHandle>;
  /** A connected client. */
  connect(): Promise<{ session: ClientHandle; sink: FakeSink }>;
  metric(path: string): number;
  /** Resolves when everything that was sent to the client so far has been handled. */
  settled(session: ClientHandle, sink: FakeSink): Promise<void>;
  /** The first client's actor. */
  pid(): Promise<Ref<ClientActorMessage>>;
  close(): void;
}

/** Joins and leaves at once. */
export function fakeMemberships(changes: string[]): Memberships {
  return {
    channelsOf: () => [],
    async join(member, ids, privilege) {
      changes.push(`join ${ids} ${privilege}`);
      for (const id of ids) member.join(id);
    },
    async leave(member, prefixes, privilege) {
      changes.push(`leave ${prefixes} ${privilege}`);
      for (const prefix of prefixes) member.leave(prefix);
    },
  };
}

export async function startClients(options: ClientsOptions = {}): Promise<Clients> {
  const config = clientConfig(
    {
      ...options.clients,
      hooks: { ping: [{ hook: 'utils.echo', args: { name: 'pong', args: [] } }], ...options.clients?.hooks },
      actions: {
        send: [{ action: 'action.send_event', args: null }],
        ack: [{ action: 'action.send_ack', args: null }],
        store: [{ action: 'action.update_state', args: null }],
        stop: [{ action: 'action.stop', args: null }],
        error: [{ action: 'action.error', args: null }],
        dispatch: [{ action: 'action.dispatch', args: null }],
        add: [{ action: 'action.add_hooks', args: null }],
        remove: [{ action: 'action.remove_hooks', args: null }],
        subscribe: [{ action: 'action.pubsub.subscribe', args: 'public' }],
        ...options.clients?.actions,
      },
    },
    options.hive,
  );
  const services = fakeServices(config, options.answer);
  const { kernel, metrics } = services;
  const log = { ...kernel.log, child: () => log } as Log;
  const changes: string[] = [];
  const memberships = options.memberships ?? fakeMemberships(changes);
  const plugins = new PluginSet(options.registry ?? new PluginRegistry(), services);
  const supervisor = await kernel.run(new DynamicSupervisor(), { name: 'hive_clients' });
  const ids = new IdSource(kernel.node, kernel.creation);
  const peers = new Map(Object.entries(options.peers ?? {}));
  const cluster: ClusterView = {
    self: kernel.node,
    nodes: () => [kernel.node, ...([...peers.values()] as NodeName[])],
    missing: () => [],
    nodeOf: (tag) => (tag === ids.tag ? kernel.node : (peers.get(tag) as NodeName | undefined)),
    tagOf: (node) => [...peers].find(([, name]) => name === node)?.[0],
    ownerOf(sid) {
      const tag = tagIn(sid) ?? '';
      return tag === ids.tag ? kernel.node : (peers.get(tag) as NodeName | undefined);
    },
  };
  const { recovery } = config.clients;
  const bounds = recovery && { windowMs: recovery.window, maxBytes: recovery.max_bytes };
  const sessions = bounds && new MemoryStore({ bounds, tag: ids.tag, wheel: kernel.wheel });
  const context = new ClientServices({ config, plugins, memberships, sessions, wheel: kernel.wheel, log, metrics });
  const idempotency = new Idempotency({
    kernel,
    cluster: { ...cluster, listen: () => ({ [Symbol.dispose]() {} }) },
    ttlMs: 300_000,
    maxKeys: 1000,
    log,
    metrics,
  });
  const router = new RouterService({
    idempotency,
    config,
    kernel,
    ids,
    clients: context,
    supervisor: 'hive_clients',
    cluster,
    channels: { status: () => 0, list: () => [] },
    obstacle: () => undefined,
    farewells: () => [],
    stop: () => {},
    log,
    metrics,
  });
  await kernel.run(new Router(router), { name: routerName });
  await kernel.run(new Departures(context.departures), { name: 'hive_departures' });
  const rig: Clients = {
    kernel,
    services,
    router,
    departures: context.departures,
    supervisor,
    changes,
    open: (namespace = '/') =>
      router.open({ namespace, handshake, protocol: 'eio4', isRecoverable: sessions !== undefined }),
    async connect() {
      const session = await rig.open();
      const sink = new FakeSink();
      await session.attach(sink, 'websocket');
      return { session, sink };
    },
    metric: (path) => {
      const value = path
        .split('.')
        .reduce<unknown>((tree, key) => (tree as Record<string, unknown>)?.[key], metrics.tree());
      return typeof value === 'object' && value !== null ? (value as { '': number })[''] : (value as number);
    },
    async settled(session, sink) {
      await router.runActions(session.sid, [{ action: 'send', args: { name: 'settled' }, trigger_id: '' }]);
      await new Promise<void>((resolve) => {
        const look = (): void => {
          const last = sink.packets.at(-1);
          if (sink.ended !== undefined || (last && brief(last) === 'event settled []')) return resolve();
          setImmediate(look);
        };
        look();
      });
      if (sink.ended === undefined) sink.packets.pop();
    },
    async pid() {
      const [child] = await kernel.ask<SupervisorMessage, ChildInfo[]>(supervisor, { type: 'which_children' });
      return child?.ref as Ref<ClientActorMessage>;
    },
    close: () => kernel.halt(),
  };
  return rig;
}
