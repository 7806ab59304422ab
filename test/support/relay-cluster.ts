/** Nodes in processes of their own, with clients that echo, join a room and say things in it, and no back end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { HiveProcess } from './hive-process.ts';
import { freePorts } from './ports.ts';

const key = 'a key of tests';

export interface RelayNode {
  readonly index: number;
  readonly port: number;
  readonly url: string;
  /** Where other nodes reach it. */
  readonly distribution: number;
  /** Where /live and /ready are answered. */
  readonly health: number;
  /** Its configuration. */
  readonly config: string;
  /** The one that runs now, or ran last. */
  process: HiveProcess;
  api(method: string, path: string, body?: string): Promise<Response>;
  /** The base of its monitor, with the key. */
  readonly monitor: string;
  /** A counter or gauge of its monitor. */
  metric(path: string): Promise<number>;
}

/** What runs a node. */
export interface Runner {
  /** The program of Node. */
  readonly node: string;
  /** What `HIVE_SOCKETS` forces. */
  readonly sockets: string;
}

export class RelayCluster {
  readonly nodes: RelayNode[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'hive-relay-'));
  readonly #runs: (() => HiveProcess)[] = [];

  /**
   * @param hive settings of that section; of each node, where they are made for it, when those before it run
   * @param runners what runs each node; without, this Node and what it takes by itself
   * @param sections other sections of the configuration, in place of those below; of each node, where they differ
   */
  static async start(
    size: number,
    socketio: Record<string, unknown> = {},
    hive: Record<string, unknown> | ((index: number, cluster: RelayCluster) => Promise<Record<string, unknown>>) = {},
    runners: readonly Runner[] = [],
    sections: Record<string, unknown> | ((index: number) => Record<string, unknown>) = {},
  ): Promise<RelayCluster> {
    const cluster = new RelayCluster();
    const [epmd, ...ports] = (await freePorts(1 + 5 * size)) as [number, ...number[]];
    try {
      for (let index = 0; index < size; index += 1) {
        const [port, api, monitor, health, distribution] = ports.slice(5 * index) as [number, ...number[]];
        const at = { epmd, port, api: api!, monitor: monitor!, health: health!, distribution: distribution!, size };
        const settings = typeof hive === 'function' ? await hive(index, cluster) : hive;
        const others = typeof sections === 'function' ? sections(index) : sections;
        const config = cluster.#config(index, at, socketio, settings, others);
        const runner = runners[index];
        const env = runner ? { HIVE_SOCKETS: runner.sockets } : {};
        const run = () => new HiveProcess(['run', config], env, [], runner?.node);
        const process = run();
        const watch = `http://127.0.0.1:${monitor}/monitor/${encodeURIComponent(key)}`;
        const metric = async (path: string) => {
          const answer = await fetch(`${watch}/${path}`);
          const tree: unknown = await answer.json();
          return path.split('.').reduce((at, name) => (at as Record<string, unknown>)[name], tree) as number;
        };
        const call = (method: string, path: string, body?: string) =>
          fetch(`http://127.0.0.1:${api}/api/${encodeURIComponent(key)}/${path}`, { method, body });
        const url = `http://127.0.0.1:${port}`;
        const ways = { port, url, distribution: at.distribution, health: at.health, monitor: watch };
        cluster.nodes.push({ index, config, ...ways, process, api: call, metric });
        cluster.#runs.push(run);
        await process.ready();
      }
      await cluster.meshed(size);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Waits until that many nodes see each other. */
  async meshed(size: number): Promise<void> {
    for (const { process, metric } of this.nodes) {
      if (!process.running) continue;
      await eventually(async () => (await metric('hive.cluster.size')) === size, `a cluster of ${size}`, 15_000);
    }
  }

  /** Starts nodes that have ended, as they were started before. */
  async restart(...indexes: readonly number[]): Promise<void> {
    for (const index of indexes) this.nodes[index]!.process = this.#runs[index]!();
    for (const index of indexes) await this.nodes[index]!.process.ready();
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map(({ process }) => process.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #config(
    index: number,
    at: Readonly<Record<'epmd' | 'port' | 'api' | 'monitor' | 'health' | 'distribution' | 'size', number>>,
    socketio: Record<string, unknown>,
    hive: Record<string, unknown>,
    sections: Record<string, unknown>,
  ): string {
    const path = join(this.#directory, `node${index}.json`);
    const config = {
      hive: {
        name: `relay${index}@127.0.0.1`,
        host: '127.0.0.1',
        port: at.port,
        allowed_origins: ['*', null],
        max_client_slots: 10_000,
        graceful_termination_timeout: 1000,
        cluster_name: 'relay tests',
        cluster_nodes: Array.from({ length: at.size }, (_, other) => `relay${other}@127.0.0.1`),
        cluster_port_min: at.distribution,
        cluster_port_max: at.distribution,
        epmd_port: at.epmd,
        ...hive,
      },
      socketio: {
        transports: ['websocket', 'xhr-polling'],
        init_timeout: 5000,
        heartbeat_timeout: 15_000,
        reconnect_timeout: 20_000,
        poll_timeout: 20,
        session_timeout: 60_000,
        ...socketio,
      },
      clients: {
        state: { state_manager: 'sm.local', initial_value: {}, args: null },
        actions: {},
        hooks: {
          echo: [{ hook: 'utils.echo', args: null }],
          join: [
            { hook: 'pubsub.subscribe', args: 'public' },
            { hook: 'utils.echo', args: { name: 'joined', args: [] } },
          ],
          say: [{ hook: 'pubsub.publish', args: { cids: 'room', privilege: 'public', raw: true } }],
        },
      },
      connectors: { rent_timeout: 2000, pools: {} },
      pubsub: { channels: { room: { privilege: 'public', timeout: 60_000 } } },
      api: { port: at.api, hash: key },
      monitor: { port: at.monitor, hash: key, health_port: at.health },
      log: { dir: join(this.#directory, `log${index}`), file_level: 'info', console_level: 'notice' },
      ...sections,
    };
    writeFileSync(path, JSON.stringify(config));
    return path;
  }
}
