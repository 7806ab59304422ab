/** Two nodes with every port open, what stands behind them, and what they were like before anybody attacked. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually } from '../support/eventually.ts';
import { HiveProcess } from '../support/hive-process.ts';
import { freePorts } from '../support/ports.ts';
import { findProgram } from '../support/programs.ts';
import { RedisServer } from '../support/redis.ts';
import type { PortName, Surroundings } from './conversation.ts';
import { GarbageBackEnds } from './garbage-back-ends.ts';
import { key } from './targets/operators.ts';

const portNames: readonly PortName[] = ['client', 'api', 'monitor', 'health', 'distribution', 'tcpPool'];
const preload = new URL('./collect-at-signal.mjs', import.meta.url).href;
/** A node that keeps what attackers leave behind reaches this soon, and ends. */
const heapLimitMb = 256;

export interface StageOptions {
  /** `HIVE_SOCKETS` of the nodes; without it they choose. */
  readonly sockets?: string;
  /** The program of Node that runs them. */
  readonly node?: string;
}

/** On a connection of its own: one that is kept may be closed at the moment when it is used again. */
function ask(method: string, url: string, body = ''): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, agent: false }, async (answer) => {
      resolve({ status: answer.statusCode, body: await text(answer) });
    });
    asked.on('error', reject).end(body);
  });
}

export class FuzzedNode {
  readonly process: HiveProcess;
  readonly url: string;
  readonly #ports: Readonly<Record<string, number>>;
  readonly #logs: string;

  constructor(process: HiveProcess, ports: Readonly<Record<string, number>>, logs: string) {
    this.process = process;
    this.#ports = ports;
    this.#logs = logs;
    this.url = `http://127.0.0.1:${ports.client}`;
  }

  async metric(path: string): Promise<number> {
    const answer = await ask('GET', `http://127.0.0.1:${this.#ports.monitor}/monitor/${key}/${path}`);
    const tree: unknown = JSON.parse(answer.body);
    return path.split('.').reduce((at, name) => (at as Record<string, unknown>)[name], tree) as number;
  }

  async publish(channel: string, event: object): Promise<void> {
    const url = `http://127.0.0.1:${this.#ports.api}/api/${key}/pubsub/publish/${channel}`;
    const { status } = await ask('POST', url, JSON.stringify(event));
    if (status !== 200) throw new Error(`a publish was answered with ${status}`);
  }

  /** Resident memory, MB. */
  get rssMb(): number {
    const pages = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))?.[1];
    return Math.round(Number(pages) / 1024);
  }

  get openFiles(): number {
    return readdirSync(`/proc/${this.process.pid}/fd`).length;
  }

  /** The used heap after a collection, MB. */
  async heapMb(): Promise<number> {
    const times = () => this.process.stdout.split('garbage was collected').length;
    const before = times();
    this.process.signal('SIGUSR2');
    await this.process.until(() => times() > before, 'the collection of garbage');
    return (await this.metric('hive.memory.processes')) / 2 ** 20;
  }

  /** What its log has of a kind: `crash.log`, `error.log`. */
  log(name: string): string {
    return readFileSync(join(this.#logs, name), 'utf8');
  }
}

export class Stage implements Surroundings {
  readonly nodes: FuzzedNode[] = [];
  readonly cookie = 'cookie-of-the-fuzz-run';
  readonly backEnds = new GarbageBackEnds();
  #redis: RedisServer | undefined;
  #epmd = 0;
  readonly #ports: Record<string, number>[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'hive-fuzz-'));

  static async open(options: StageOptions = {}): Promise<Stage> {
    const stage = new Stage();
    try {
      await stage.#start(options);
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  get hasRedis(): boolean {
    return this.#redis !== undefined;
  }

  port(name: PortName, node: 0 | 1): number {
    return name === 'epmd' ? this.#epmd : this.#ports[node]![name]!;
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map(({ process }) => process.stop()));
    this.backEnds.stop();
    await this.#redis?.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #start({ sockets, node }: StageOptions): Promise<void> {
    if (findProgram('redis-server')) this.#redis = await RedisServer.start();
    const [web, wire] = [await this.backEnds.http(), await this.backEnds.tcp()];
    const none = await this.backEnds.noNode();
    const redis = this.#redis && (await this.backEnds.redis(this.#redis.port));
    const [epmd, ...free] = (await freePorts(1 + 2 * portNames.length)) as [number, ...number[]];
    this.#epmd = epmd;
    const env = {
      NODE_OPTIONS: `--max-old-space-size=${heapLimitMb} --import=${preload}`,
      ...(sockets === undefined ? {} : { HIVE_SOCKETS: sockets }),
    };
    for (const index of [0, 1]) {
      const ports = Object.fromEntries(portNames.map((name) => [name, free.shift()!]));
      this.#ports.push(ports);
      const logs = join(this.#directory, `log${index}`);
      const config = configOf(
        index,
        { ...ports, epmd, web, wire, none, redis: index === 1 ? redis : undefined },
        this.cookie,
        logs,
      );
      const file = join(this.#directory, `node${index}.json`);
      writeFileSync(file, JSON.stringify(config));
      const process = new HiveProcess(['run', file], env, [], node);
      this.nodes.push(new FuzzedNode(process, ports, logs));
      await process.ready();
    }
    for (const one of this.nodes) {
      await eventually(async () => (await one.metric('hive.cluster.size')) === 2, 'a cluster of 2', 20_000);
    }
    this.backEnds.begin();
  }
}

function configOf(
  index: number,
  ports: Readonly<Record<string, number | undefined>>,
  cookie: string,
  logs: string,
): Record<string, unknown> {
  const plain = (action: string, args: unknown = null) => [{ action, args }];
  const asked = (hook: string, connector: string, endpoint: string) => [{ hook, args: { connector, endpoint } }];
  const limits = { restart_timeout: 0, max_connection_timeout: 500 };
  const redisArgs = { host: '127.0.0.1', port: ports.redis, reconnect_timeout: 100, max_reconnect_timeout: 1000 };
  const state =
    ports.redis === undefined
      ? { state_manager: 'sm.local' }
      : { state_manager: 'sm.redis', args: { connector: 'db' } };
  return {
    hive: {
      name: `fuzz${index}@127.0.0.1`,
      host: '127.0.0.1',
      port: ports.client,
      // Where Redis fails, clients are refused: with an error that hides what it was, it would look like a fault of the node.
      mode: ports.redis === undefined ? 'production' : 'development',
      allowed_origins: ['*', null],
      graceful_termination_timeout: 1000,
      cluster_name: 'fuzz',
      cluster_cookie: cookie,
      cluster_nodes: [
        `fuzz${1 - index}@127.0.0.1`,
        // Dialled again and again.
        ...Array.from({ length: 8 }, (_, other) => `none${other}@127.0.0.1:${ports.none}`),
      ],
      cluster_port_min: ports.distribution,
      cluster_port_max: ports.distribution,
      cluster_max_frame: 1_000_000,
      epmd_port: ports.epmd,
    },
    socketio: {
      namespaces: ['/', '/admin'],
      compression: true,
      max_payload: 100_000,
      connect_timeout: 1000,
      ping_interval: 3000,
      ping_timeout: 6000,
      init_timeout: 3000,
      heartbeat_timeout: 1000,
      reconnect_timeout: 1000,
      poll_timeout: 20,
    },
    clients: {
      state,
      actions: {
        send: plain('action.send_event'),
        ack: plain('action.send_ack'),
        text: plain('action.send_message'),
        json: plain('action.send_json'),
        keep: plain('action.update_state'),
        stop: plain('action.stop'),
        fail: plain('action.error'),
        run: plain('action.dispatch'),
        add: plain('action.add_hooks'),
        remove: plain('action.remove_hooks'),
        subscribe: plain('action.pubsub.subscribe', 'public'),
        publish: plain('action.pubsub.publish_raw', 'public'),
        act: plain('action.pubsub.publish', 'public'),
      },
      hooks: {
        echo: [{ hook: 'utils.echo', args: null }],
        join: [
          { hook: 'pubsub.subscribe', args: 'public' },
          { hook: 'utils.echo', args: { name: 'joined', args: [] } },
        ],
        leave: [{ hook: 'pubsub.unsubscribe', args: 'public' }],
        move: [{ hook: 'pubsub.resubscribe', args: 'public' }],
        say: [{ hook: 'pubsub.publish', args: { cids: 'room', privilege: 'public', raw: true } }],
        tell: [{ hook: 'pubsub.publish', args: { cids: 'orders', privilege: 'public' } }],
        dispatch: [{ hook: 'utils.dispatch', args: null }],
        post: asked('hp.post', 'web', '/x'),
        quote: asked('hp.post', 'wire', 'quote'),
        take: asked('hp.get', 'door', 'quote'),
      },
    },
    connectors: {
      rent_timeout: 2000,
      pools: {
        web: {
          connector: 'connector.http',
          size: 2,
          overflow: 20,
          args: { base_url: `http://127.0.0.1:${ports.web}`, max_connection_timeout: 500 },
        },
        wire: {
          connector: 'connector.tcp',
          size: 2,
          overflow: 20,
          args: { host: '127.0.0.1', port: ports.wire, ...limits },
        },
        door: {
          connector: 'connector.tcp',
          size: 2,
          overflow: 20,
          args: { listening: true, host: '127.0.0.1', port: ports.tcpPool, ...limits },
        },
        ...(ports.redis === undefined
          ? {}
          : { db: { connector: 'connector.redis', size: 4, overflow: 8, args: redisArgs } }),
      },
    },
    pubsub: {
      channels: {
        room: { privilege: 'public', timeout: 500 },
        orders: { privilege: 'public', timeout: 500 },
        bystanders: { privilege: 'public', timeout: 60_000 },
      },
    },
    api: { port: ports.api, hash: key },
    monitor: { port: ports.monitor, hash: key, health_port: ports.health, public_health: true },
    log: { dir: logs, file_level: 'info', console_level: 'notice' },
  };
}
