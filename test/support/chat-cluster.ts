/**
 * The distributed chat as processes: two nodes, the Python back end and a Redis server, with the example's own files. Only
 * addresses and directories are changed, so that tests can run anywhere.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CutProxy } from './cut-proxy.ts';
import { HiveProcess } from './hive-process.ts';
import { freePorts } from './ports.ts';
import { RedisServer } from './redis.ts';

const example = fileURLToPath(new URL('../../examples/distributed-chat', import.meta.url));

interface NodePorts {
  readonly client: number;
  readonly api: number;
  readonly monitor: number;
}

type Json = Record<string, Record<string, unknown>>;

/**
 * Where the sessions are: `durable` as in the example's files, in Redis; `sm.redis`, in the nodes' memory but for their state, which is in
 * Redis; or all in the nodes' memory.
 */
export type Keeping = 'durable' | 'sm.redis' | 'memory';

export class ChatCluster {
  readonly directory = mkdtempSync(join(tmpdir(), 'hive-chat-'));
  readonly nodes: HiveProcess[] = [];
  readonly ports: readonly [NodePorts, NodePorts];
  readonly backendPort: number;
  readonly redis: RedisServer;
  /** Through these, the pages come to the nodes. */
  readonly ways: CutProxy[] = [];
  backend: ChildProcess | undefined;

  private constructor(ports: number[], redis: RedisServer, keeping: Keeping) {
    const [client1, api1, monitor1, client2, api2, monitor2, backend, epmd, dist1, dist2] = ports as [
      number,
      ...number[],
    ];
    this.ports = [
      { client: client1, api: api1!, monitor: monitor1! },
      { client: client2!, api: api2!, monitor: monitor2! },
    ];
    this.backendPort = backend!;
    this.redis = redis;
    cpSync(join(example, 'config'), this.directory, { recursive: true });
    this.#rewrite('clients.json', (file) => {
      if (keeping !== 'durable') delete file.durable;
      const args = { connector: 'database', expiration_timeout: 86_400_000 };
      if (keeping === 'sm.redis') Object.assign(file.state!, { state_manager: 'sm.redis', args });
    });
    this.#rewrite('connectors.json', (file) => {
      const pools = file.pools as Record<string, { args: Record<string, unknown> }>;
      pools.backend!.args.base_url = `http://127.0.0.1:${backend}`;
      pools.database!.args.port = redis.port;
    });
    this.ports.forEach((port, index) => {
      this.#rewrite(`node${index + 1}.json`, (file) => {
        const distribution = [dist1, dist2][index]!;
        Object.assign(file.hive!, {
          port: port.client,
          cluster_port_min: distribution,
          cluster_port_max: distribution,
          epmd_port: epmd,
          graceful_termination_timeout: 2000,
          // The page, programs, and the 0.9 client in Node.
          allowed_origins: [`http://127.0.0.1:${backend}`, null, `127.0.0.1:${port.client}`],
        });
        file.api!.port = port.api;
        file.monitor!.port = port.monitor;
        file.log!.dir = join(this.directory, `log${index + 1}`);
      });
    });
  }

  static async start(keeping: Keeping = 'durable'): Promise<ChatCluster> {
    const redis = await RedisServer.start();
    const cluster = new ChatCluster(await freePorts(10), redis, keeping);
    try {
      for (const { client } of cluster.ports) cluster.ways.push(await CutProxy.start(client));
      await cluster.startBackend();
      await cluster.startNode(0);
      await cluster.startNode(1);
      await cluster.connected();
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  #rewrite(name: string, change: (file: Json) => void): void {
    const path = join(this.directory, name);
    const file = JSON.parse(readFileSync(path, 'utf8')) as Json;
    change(file);
    writeFileSync(path, JSON.stringify(file, null, 2));
  }

  async startNode(index: number): Promise<void> {
    this.nodes[index] = await HiveProcess.run(join(this.directory, `node${index + 1}.json`));
  }

  startBackend(): Promise<void> {
    const options = ['--port', `${this.backendPort}`, '--sweep', '1'];
    for (const { api } of this.ports) options.push('--api', `http://127.0.0.1:${api}`);
    for (const [index, { url }] of this.ways.entries()) options.push('--node', `node${index + 1}=${url}`);
    const backend = spawn('python3', ['-u', join(example, 'backend', 'backend.py'), ...options], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
    });
    this.backend = backend;
    return new Promise((resolve, reject) => {
      backend.once('error', reject);
      backend.once('exit', (code) => reject(new Error(`the back end ended with ${code}`)));
      backend.stdout.on('data', (data) => String(data).includes('is ready') && resolve());
    });
  }

  async stopBackend(): Promise<void> {
    const { backend } = this;
    if (!backend || backend.exitCode !== null) return;
    const ended = new Promise((resolve) => backend.once('exit', resolve));
    backend.kill('SIGTERM');
    await ended;
  }

  url(index: number): string {
    return `http://127.0.0.1:${this.ports[index]!.client}`;
  }

  get pageUrl(): string {
    return `http://127.0.0.1:${this.backendPort}/`;
  }

  /** What a node's monitor shows under a section. */
  async monitor<Value>(index: number, section: string): Promise<Value> {
    const key = 'distributed-chat-monitor-key';
    const answer = await fetch(`http://127.0.0.1:${this.ports[index]!.monitor}/monitor/${key}/${section}`);
    if (!answer.ok) throw new Error(`monitor ${section}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Value;
  }

  /** Waits until both nodes see each other. */
  async connected(): Promise<void> {
    for (const index of [0, 1]) {
      await until(async () => {
        const { hive } = await this.monitor<{ hive: { cluster: { size: number } } }>(index, 'hive.cluster.size');
        return hive.cluster.size === 2;
      }, 'a cluster of two');
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await this.stopBackend();
    await this.redis.stop();
    await Promise.all(this.ways.map((way) => way.stop()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Polls what has no events of its own: monitors and databases of other processes. */
export async function until(condition: () => Promise<boolean>, what: string, patienceMs = 15_000): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
