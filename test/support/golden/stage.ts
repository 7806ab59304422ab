/** Real nodes for a replay, with the recorded configuration on addresses of their own. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../eventually.ts';
import { HiveProcess } from '../hive-process.ts';
import { freePorts } from '../ports.ts';
import { RedisServer } from '../redis.ts';
import { GoldenBackEnd } from './back-end.ts';
import { fixtures, type RedisStep } from './recordings.ts';

export interface StageOptions {
  readonly mode?: 'development' | 'production';
  /** Section → keys that differ from the recorded configuration. */
  readonly change?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Hooks by event, instead of or besides the recorded ones. */
  readonly hooks?: Readonly<Record<string, readonly unknown[]>>;
  /** Whether sessions tell the back end their ids; without it, no scenario can use them there or in the API. */
  readonly tellsSids?: boolean;
  /** Node names; one by default. */
  readonly names?: readonly string[];
  /** Keeps session state in a Redis server of its own. */
  readonly redis?: boolean;
}

interface Ports {
  readonly client: number;
  readonly api: number;
  readonly monitor: number;
}

type Json = Record<string, Record<string, unknown>>;

const whoami = { hook: 'hp.put', args: { connector: 'backend', endpoint: '/whoami' } };

export class Stage {
  readonly backEnd: GoldenBackEnd;
  readonly #options: StageOptions;
  readonly #directory = mkdtempSync(join(tmpdir(), 'hive-golden-'));
  readonly #nodes: HiveProcess[] = [];
  readonly #ports: Ports[] = [];
  #redis: RedisServer | undefined;

  private constructor(options: StageOptions, backEnd: GoldenBackEnd) {
    this.#options = options;
    this.backEnd = backEnd;
  }

  static async start(options: StageOptions = {}): Promise<Stage> {
    const stage = new Stage(options, await GoldenBackEnd.start());
    try {
      await stage.#start();
    } catch (error) {
      await stage.stop();
      throw error;
    }
    return stage;
  }

  /** The port of `client`, `api`, `monitor`, or of the second node's `client2` and so on. */
  port(listener: string): number {
    const isSecond = listener.endsWith('2');
    const ports = this.#ports[isSecond ? 1 : 0]!;
    return ports[(isSecond ? listener.slice(0, -1) : listener) as keyof Ports];
  }

  async killSecond(): Promise<void> {
    await this.#nodes[1]?.stop('SIGKILL');
    await this.#clusterOf(1);
  }

  /** What Redis holds of a session. */
  redisState(sid: string): Promise<RedisStep['redis']> {
    if (!this.#redis) throw new Error('this stage has no Redis');
    return this.#redis.query(async (connection) => {
      const keys = await connection.keys('*');
      const key = keys.find((name) => name.includes(sid)) ?? sid;
      return {
        'KEYS *': keys.join(' '),
        'HGETALL sid': Object.entries(await connection.hgetall(key)).flat(),
        'TTL sid': String(await connection.ttl(key)),
        TYPE: await connection.type(key),
      };
    });
  }

  /** Waits for the first node's end, and tells its exit code. */
  async exitCode(): Promise<number | null | undefined> {
    return (await this.#nodes[0]?.finished)?.code;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop('SIGKILL')));
    await this.#redis?.stop();
    await this.backEnd.stop();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    if (this.#options.redis) this.#redis = await RedisServer.start();
    const names = this.#options.names ?? ['golden1@127.0.0.1'];
    const [epmd, dead, ...ports] = await freePorts(2 + 4 * names.length);
    for (const [index, name] of names.entries()) {
      const [client, api, monitor, distribution] = ports.slice(4 * index) as [number, number, number, number];
      const file = join(this.#directory, `node${index + 1}.json`);
      const config = this.#config({ client, api, monitor }, dead!);
      Object.assign(config.hive!, {
        name,
        cluster_nodes: names.filter((other) => other !== name),
        cluster_port_min: distribution,
        cluster_port_max: distribution,
        epmd_port: epmd,
      });
      config.log!.dir = join(this.#directory, `log${index + 1}`);
      writeFileSync(file, JSON.stringify(config));
      this.#ports.push({ client, api, monitor });
      this.#nodes.push(await HiveProcess.run(file));
    }
    if (names.length > 1) await this.#clusterOf(names.length);
  }

  #config(ports: Ports, deadPort: number): Json {
    const text = readFileSync(join(fixtures, 'config.json'), 'utf8')
      .replace('http://backend.example', `http://127.0.0.1:${this.backEnd.port}`)
      .replace('http://deadend.example', `http://127.0.0.1:${deadPort}`);
    const config = JSON.parse(text) as Json;
    const { mode = 'development', change = {}, hooks = {}, tellsSids = true } = this.#options;
    Object.assign(config.hive!, { mode, host: '127.0.0.1', port: ports.client });
    config.api!.port = ports.api;
    config.monitor!.port = ports.monitor;
    Object.assign(config.clients!.hooks!, hooks);
    const configured = config.clients!.hooks as Record<string, unknown[]>;
    if (tellsSids) configured.on_connect = [whoami, ...(configured.on_connect ?? [])];
    if (this.#redis) {
      const pools = config.connectors!.pools as Record<string, unknown>;
      const args = {
        host: '127.0.0.1',
        port: this.#redis.port,
        database: 0,
        password: '',
        restart_timeout: 60_000,
        reconnect_timeout: 500,
        max_reconnect_timeout: 2000,
      };
      pools.database = { connector: 'connector.redis', size: 2, overflow: 2, args };
      config.clients!.state = {
        state_manager: 'sm.redis',
        initial_value: { nick: null, rooms: [] },
        args: { connector: 'database', expiration_timeout: 90_000 },
      };
    }
    for (const [section, keys] of Object.entries(change)) Object.assign(config[section]!, keys);
    return config;
  }

  /** Waits until the nodes know each other. */
  async #clusterOf(size: number): Promise<void> {
    for (const [index, { monitor }] of this.#ports.entries()) {
      if (!this.#nodes[index]?.running) continue;
      await eventually(async () => {
        const response = await fetch(`http://127.0.0.1:${monitor}/monitor/monkey-12345/hive.cluster.size`);
        const tree = (await response.json()) as { hive?: { cluster?: { size?: number } } };
        return tree.hive?.cluster?.size === size;
      }, `a cluster of ${size}`);
    }
  }
}
