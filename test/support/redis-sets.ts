/** Several real Redis processes that belong together: a master with replicas, Sentinels, a Cluster; and a fixed address in front. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePorts } from './ports.ts';
import { RedisServer } from './redis.ts';

/** Asks a server in words, and gets what it says as text. */
export async function say(server: RedisServer, ...words: (string | number)[]): Promise<string> {
  const [name, ...args] = words;
  return String(await server.query((redis) => redis.call(String(name), ...args)));
}

/** A replica that has all that its master has. */
export async function startReplica(master: RedisServer): Promise<RedisServer> {
  const replica = await RedisServer.start(['--replicaof', '127.0.0.1', `${master.port}`]);
  await eventually(
    async () => (await say(replica, 'info', 'replication')).includes('master_link_status:up'),
    'the link',
  );
  return replica;
}

/** A Sentinel that decides alone, and soon. */
export async function startSentinel(
  master: RedisServer,
  name: string,
  password = '',
  further: readonly string[] = [],
): Promise<RedisServer> {
  const directory = mkdtempSync(join(tmpdir(), 'hive-sentinel-'));
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `sentinel monitor ${name} 127.0.0.1 ${master.port} 1`,
    `sentinel down-after-milliseconds ${name} 500`,
    `sentinel failover-timeout ${name} 2000`,
    ...(password === '' ? [] : [`requirepass ${password}`]),
    ...further,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const sentinel = await RedisServer.startWith((port) => [
    file,
    '--sentinel',
    '--port',
    `${port}`,
    '--bind',
    '127.0.0.1',
  ]);
  sentinel.atEnd(() => rmSync(directory, { recursive: true, force: true }));
  return sentinel;
}

/** A Cluster of so many masters, each with an equal part of the slots. */
export async function startCluster(masters: number, options: readonly string[] = []): Promise<RedisServer[]> {
  const directory = mkdtempSync(join(tmpdir(), 'hive-cluster-'));
  const nodes: RedisServer[] = [];
  for (let at = 0; at < masters; at += 1) {
    const [bus] = await freePorts(1);
    const own = ['--cluster-enabled', 'yes', '--cluster-port', `${bus}`, '--cluster-node-timeout', '1000'];
    nodes.push(
      await RedisServer.start((port) => [
        ...own,
        '--dir',
        directory,
        '--cluster-config-file',
        `${port}.conf`,
        ...options,
      ]),
    );
  }
  nodes[0]!.atEnd(() => rmSync(directory, { recursive: true, force: true }));
  const slots = 16_384;
  const [first] = nodes;
  for (const [at, node] of nodes.entries()) {
    const [from, to] = [Math.floor((at * slots) / masters), Math.floor(((at + 1) * slots) / masters) - 1];
    await say(node, 'cluster', 'addslotsrange', from, to);
    const bus = /@(\d+)/.exec(await say(node, 'cluster', 'nodes'))![1]!;
    if (node !== first) await say(first!, 'cluster', 'meet', '127.0.0.1', node.port, bus);
  }
  await eventually(async () => {
    for (const node of nodes) {
      const info = await say(node, 'cluster', 'info');
      if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${masters}`)) return false;
    }
    return true;
  }, 'the cluster');
  return nodes;
}

/** A fixed address that leads to one server or another, as a load balancer's does. */
export class FixedAddress {
  target: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(target: number) {
    this.target = target;
    this.#server = createServer((socket) => {
      const onward = connect(this.target, '127.0.0.1');
      for (const end of [socket, onward]) {
        this.#sockets.add(end);
        end.on('error', () => {});
        end.on('close', () => {
          this.#sockets.delete(end);
          socket.destroy();
          onward.destroy();
        });
      }
      socket.pipe(onward).pipe(socket);
    });
  }

  static async start(target: number): Promise<FixedAddress> {
    const address = new FixedAddress(target);
    address.#server.listen(0, '127.0.0.1');
    await once(address.#server, 'listening');
    return address;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
