/** Pub-sub nodes for tests: real kernels, supervisors, channels and managers; clients and their connections are played. */
import type { TestContext } from 'node:test';
import { ClusterTable } from '../../src/actors/cluster/cluster-table.ts';
import type { ClientDelivery, Fanout, Member, PresenceSource } from '../../src/actors/contracts.ts';
import { historyName } from '../../src/actors/pubsub/history/history.ts';
import type { LinkSettings } from '../../src/actors/pubsub/link-settings.ts';
import type { PubSubMessage } from '../../src/actors/pubsub/messages.ts';
import { presenceName } from '../../src/actors/pubsub/presence/presence.ts';
import { PubSubService, type PubSubSetup } from '../../src/actors/pubsub/pubsub.ts';
import type { Config } from '../../src/config/types.ts';
import { Actor } from '../../src/kernel/actor.ts';
import type { Cell } from '../../src/kernel/cell.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import type { AnyRef, Ref } from '../../src/kernel/types.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import type { Publication } from '../../src/plugins/types.ts';
import type { ActionCall } from '../../src/protocol/backend/action-call.ts';
import { EventPacket, type ServerPacket } from '../../src/protocol/packet.ts';
import { DynamicSupervisor } from '../../src/supervisors/dynamic-supervisor.ts';
import { Supervisor } from '../../src/supervisors/supervisor.ts';
import type { Unconfirmed } from '../../src/web/api/api-host.ts';

export const channels: Config['pubsub']['channels'] = {
  news: { privilege: 'public', timeout: 0 },
  staff: { privilege: 'private', timeout: 0 },
  brief: { privilege: 'public', timeout: 20 },
};

/** Resolves to the nodes that have not confirmed a publish. */
export function known(unconfirmed: Unconfirmed | undefined): Promise<readonly string[]> | undefined {
  return unconfirmed && new Promise((resolve) => unconfirmed.whenKnown(resolve));
}

const supervisorName = 'hive_pubsub_channel_sup';

/** The connections of one node: who is in which channel. */
export class TestFanout implements Fanout {
  readonly members = new Map<string, Set<TestClient>>();
  published = 0;

  publish(channel: string, packet: ServerPacket): number {
    if (channel === 'news.poison') throw new Error('poison');
    this.published += 1;
    const members = this.members.get(channel);
    for (const member of members ?? []) member.note(channel, nameOf(packet), packet);
    return members?.size ?? 0;
  }
}

/** A client that notes what it is sent; actions `work` make it wait for `release`. */
export class TestClient extends Actor<ClientDelivery> implements Member {
  readonly received: string[] = [];
  /** The channel of each. */
  readonly through: string[] = [];
  /** The channels of which something is lost for it. */
  readonly gaps: string[] = [];
  readonly fanout: TestFanout;
  readonly #held: (() => void)[] = [];
  deliveries = 0;
  presence: PresenceSource | undefined;

  constructor(fanout: TestFanout) {
    super();
    this.fanout = fanout;
  }

  get ref(): Ref<ClientDelivery> {
    return this.self;
  }

  join(channel: string): void {
    const members = this.fanout.members.get(channel) ?? new Set();
    this.fanout.members.set(channel, members.add(this));
  }

  leave(channel: string): void {
    this.fanout.members.get(channel)?.delete(this);
  }

  missed(channel: string): void {
    this.gaps.push(channel);
  }

  isOn(channel: string): boolean {
    return this.fanout.members.get(channel)?.has(this) ?? false;
  }

  /** Called with what was sent as it is. */
  onPacket: (packet: ServerPacket) => void = () => {};

  note(channel: string, text: string, packet?: ServerPacket): void {
    if (packet) this.onPacket(packet);
    this.through.push(channel);
    this.received.push(text);
  }

  /** Lets the work that has begun go on. */
  release(): void {
    for (const go of this.#held.splice(0)) go();
  }

  get working(): boolean {
    return this.#held.length > 0;
  }

  async receive({ actions: orders, packets, channel }: ClientDelivery): Promise<void> {
    this.deliveries += 1;
    const { label } = channel as Cell<never>;
    for (const packet of packets ?? []) this.note(label, nameOf(packet));
    for (const { action, args } of orders) {
      if (action === 'work') await new Promise<void>((resolve) => this.#held.push(resolve));
      if (action === 'pause') await new Promise((resolve) => setImmediate(resolve));
      if (action === 'crash') throw new Error('a crash on order');
      this.note(label, String(args));
    }
    this.send(channel, { type: 'delivered', client: this.self });
  }
}

export interface PubSubNode {
  readonly kernel: Kernel;
  readonly table: ClusterTable;
  readonly metrics: Metrics;
  readonly fanout: TestFanout;
  readonly pubsub: PubSubService;
  client(): Promise<TestClient>;
  manager(): Ref<PubSubMessage>;
  /** The actor of a channel, if it runs. */
  serving(id: string): AnyRef | undefined;
  /** The same where it must run. */
  channel(id: string): AnyRef;
}

/** Pub-sub on a kernel. */
export async function startPubSub(
  kernel: Kernel,
  metrics = new Metrics(),
  log: Log = silent,
  limits: Partial<Config['pubsub']> = {},
  links: Partial<LinkSettings> = {},
  presence: PubSubSetup['presence'] = { graceMs: 5000, isDurable: false },
): Promise<PubSubNode> {
  const table = new ClusterTable(kernel.node, kernel.creation);
  const fanout = new TestFanout();
  const pubsub = new PubSubService({
    kernel,
    config: {
      channels,
      history_max_bytes: 64 * 1024 * 1024,
      max_subscriptions_per_client: 1000,
      max_channels_per_client: 1000,
      ...limits,
    },
    links: { maxBytes: 1024 * 1024, resumeMs: 60_000, ...links },
    presence,
    cluster: table,
    fanout,
    packetsFor,
    channelSupervisor: kernel.remote(kernel.node, supervisorName),
    log,
    metrics,
  });
  const root = new Supervisor({
    intensity: 1000,
    periodMs: 1000,
    children: [
      { id: supervisorName, name: supervisorName, type: 'supervisor', start: () => new DynamicSupervisor() },
      { id: 'hive_pubsub', name: 'hive_pubsub', start: () => pubsub.manager() },
      ...(pubsub.presenceActor ? [{ id: presenceName, name: presenceName, start: pubsub.presenceActor }] : []),
      ...(pubsub.historian ? [{ id: historyName, name: historyName, start: pubsub.historian }] : []),
    ],
  });
  await kernel.spawn(root, { label: 'pubsub_sup' });
  const serving = (id: string): AnyRef | undefined => {
    const supervisor = kernel.whereis(supervisorName) as Cell | undefined;
    const rows = (supervisor?.actor as DynamicSupervisor | undefined)?.children() ?? [];
    return rows.find((child) => child.id === id)?.ref as AnyRef | undefined;
  };
  return {
    kernel,
    table,
    metrics,
    fanout,
    pubsub,
    async client() {
      const client = new TestClient(fanout);
      await kernel.spawn(client, { label: 'client' });
      return client;
    },
    manager: () => kernel.whereis<PubSubMessage>('hive_pubsub')!,
    serving,
    channel: (id) => serving(id)!,
  };
}

/** A node of its own, ending with the test. */
export async function pubSubNode(
  t: TestContext,
  name = 'a@127.0.0.1',
  limits: Partial<Config['pubsub']> = {},
): Promise<PubSubNode> {
  const metrics = new Metrics();
  const kernel = new Kernel({ node: name, log: silent, metrics });
  t.after(() => kernel.halt());
  return startPubSub(kernel, metrics, silent, limits);
}

export function event(name: string): Publication {
  return { type: 'event', packet: new EventPacket(name, '[]') };
}

/** Actions that clients must perform: `work` waits, `pause` takes a turn, `say` is done at once, `send` is a mere packet. */
export function orders(...pairs: (readonly [action: string, text: string])[]): Publication {
  return { type: 'actions', actions: pairs.map(([action, args]) => ({ action, args, trigger_id: '' })) };
}

function packetsFor(list: readonly ActionCall[]): ServerPacket[] | undefined {
  if (!list.every(({ action }) => action === 'send')) return undefined;
  return list.map(({ args }) => new EventPacket(String(args), '[]'));
}

function nameOf(packet: ServerPacket): string {
  return packet.type === 'event' ? packet.name : packet.type;
}
