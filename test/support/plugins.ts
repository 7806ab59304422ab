/** What plugins need of a node, faked: pools that answer from a function, a pub-sub that remembers, clients that record. */
import type { Config } from '../../src/config/types.ts';
import { HiveError } from '../../src/observe/errors.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import type {
  ActionCall,
  Client,
  ClientState,
  HookDescriptor,
  Pools,
  Privilege,
  Publication,
  Services,
  State,
  Trigger,
} from '../../src/plugins/types.ts';
import type { ClientEvent, EventPacket, ServerPacket } from '../../src/protocol/packet.ts';
import { TestKernel } from './actors.ts';

/** A configuration with the parts that clients and their plugins look at. */
export function clientConfig(
  clients: Partial<Config['clients']> = {},
  hive: Partial<Config['hive']> = {},
  pools: Record<string, { connector: string }> = { backend: { connector: 'connector.http' } },
): Config {
  return {
    hive: {
      name: 'test@127.0.0.1',
      cluster_name: 'test',
      mode: 'development',
      max_client_slots: 100,
      graceful_termination_timeout: 5000,
      direct_websocket: true,
      ...hive,
    },
    clients: {
      state: { state_manager: 'sm.local', initial_value: { nick: null }, args: null },
      hooks: {},
      actions: {},
      departure_retry: 600_000,
      departure_limit: 100,
      ...clients,
    },
    socketio: { max_backpressure: 1_000_000 },
    pubsub: { channels: {} },
    connectors: { rent_timeout: 1000, backoff_num: 1, backoff_time: 0, overflow_idle: 5000, pools },
  } as unknown as Config;
}

export interface Asked {
  readonly pool: string;
  readonly request: { method: string; endpoint: string; body?: string; idempotencyKey?: string };
  readonly signal: AbortSignal | undefined;
}

export interface FakeServices extends Services {
  readonly kernel: TestKernel;
  readonly metrics: Metrics;
  readonly asked: Asked[];
  readonly published: { channels: readonly string[]; privilege: Privilege; publication: Publication }[];
}

/** Services whose pools answer what `answer` returns. */
export function fakeServices(
  config: Config = clientConfig(),
  answer: (asked: Asked) => unknown = () => ({ status: 200, body: '' }),
): FakeServices {
  const asked: Asked[] = [];
  const published: FakeServices['published'] = [];
  const kernel = new TestKernel();
  const pools: Pools = {
    get<Request, Reply>(name: string) {
      const pool = config.connectors.pools[name];
      if (!pool) throw new HiveError('bad_connector_id', `There is no pool named ${name}.`);
      return {
        name,
        connector: pool.connector,
        async request(request: Request, signal?: AbortSignal) {
          const question = { pool: name, request: request as unknown as Asked['request'], signal };
          asked.push(question);
          return (await answer(question)) as Reply;
        },
      };
    },
    start: async () => {},
    stop: async () => {},
    running: () => config.connectors.pools,
  };
  const pubsub: Services['pubsub'] = {
    publish: (channels, privilege, publication) => void published.push({ channels, privilege, publication }),
    // Says what it was asked for.
    presence: (channel, privilege, page) => ({
      channel: `${privilege} ${channel}`,
      members: [],
      cursor: JSON.stringify(page),
      sessions: 0,
      users: 0,
      version: 'v',
    }),
    history: async (channel, privilege, query) => ({
      channel: `${privilege} ${channel}`,
      epoch: JSON.stringify(query),
      offset: 0,
      entries: [],
      complete: true,
    }),
  };
  return { config, kernel, timers: kernel.wheel, log: silent, metrics: new Metrics(), pools, pubsub, asked, published };
}

/** A client that does nothing but remember what plugins made it do. */
export class FakeClient implements Client {
  readonly sid = 'sid-1';
  readonly idempotencyKey = 'sid-1/0.1';
  readonly signal = new AbortController().signal;
  log: Log = silent;
  readonly sent: ServerPacket[] = [];
  readonly reported: HiveError[] = [];
  readonly performed: ActionCall[] = [];
  readonly dispatched: { event: ClientEvent; triggerId: string }[] = [];
  readonly calls: unknown[][] = [];
  /** Answers what it was last asked. */
  answer: (outcome: unknown[] | HiveError) => void = () => {};
  #pairs: State = {};

  readonly state: ClientState = {
    get: () => this.#pairs,
    set: (pairs) => {
      this.#pairs = { ...this.#pairs, ...pairs };
    },
    cleanup() {},
  };

  send(packet: ServerPacket): void {
    this.sent.push(packet);
  }
  report(error: HiveError): void {
    this.reported.push(error);
  }
  metadata(trigger: Trigger): string | Promise<string> {
    return `metadata of ${trigger.name}`;
  }
  runActions(events: readonly ActionCall[]): void {
    this.performed.push(...events);
  }
  ask(event: EventPacket, timeoutMs: number): Promise<readonly unknown[]> {
    this.calls.push(['ask', event.name, event.argsJson, timeoutMs]);
    return new Promise((resolve, reject) => {
      this.answer = (outcome) => (outcome instanceof HiveError ? reject(outcome) : resolve(outcome));
    });
  }
  receive({ name, args }: ClientEvent): void {
    this.calls.push(['receive', name, args]);
  }
  dispatch(event: ClientEvent, triggerId: string): void {
    this.dispatched.push({ event, triggerId });
  }
  async subscribe(channels: readonly string[], privilege: Privilege): Promise<void> {
    this.calls.push(['subscribe', channels, privilege]);
  }
  async unsubscribe(prefixes: readonly string[], privilege: Privilege): Promise<void> {
    this.calls.push(['unsubscribe', prefixes, privilege]);
  }
  addHooks(hooks: Readonly<Record<string, readonly HookDescriptor[]>>): void {
    this.calls.push(['addHooks', hooks]);
  }
  removeHooks(events: readonly string[]): void {
    this.calls.push(['removeHooks', events]);
  }
}

/** The packet in one line: `event a [1]`, `ack 5 [2]`, `message "x"`, `json {"a":1}`. */
export function brief(packet: ServerPacket): string {
  switch (packet.type) {
    case 'event':
      return `event ${packet.id === undefined ? '' : `${packet.id}${packet.ackWithData ? '+' : ''} `}${packet.name} ${packet.argsJson}`;
    case 'ack':
      return `ack ${packet.id} ${packet.argsJson}`;
    case 'message':
      return `${packet.json ? 'json' : 'message'} ${JSON.stringify(packet.data)}`;
  }
}
