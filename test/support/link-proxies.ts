/** The connections between the nodes of a cluster, led through proxies that can break them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { lookUp } from '../../src/distribution/epmd/epmd.ts';
import { freePorts } from './ports.ts';

export class LinkProxies implements AsyncDisposable {
  /** Settings of the section `hive` with which all nodes dial each other through the proxies. */
  readonly settings: { readonly epmd_port: number; readonly cluster_nodes: string[] };
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  private constructor(epmdPort: number) {
    this.settings = { epmd_port: epmdPort, cluster_nodes: [] };
  }

  /** @param nodes `id@127.0.0.1` */
  static async start(nodes: readonly string[]): Promise<LinkProxies> {
    const [epmd] = (await freePorts(1)) as [number];
    const proxies = new LinkProxies(epmd);
    for (const node of nodes) {
      const server = createServer((socket) => void proxies.#lead(socket, node));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      proxies.#servers.push(server);
      proxies.settings.cluster_nodes.push(`${node}:${(server.address() as AddressInfo).port}`);
    }
    return proxies;
  }

  async #lead(near: Socket, node: string): Promise<void> {
    near.on('error', () => near.destroy());
    const port = await lookUp('127.0.0.1', this.settings.epmd_port, node.split('@')[0]!).catch(() => undefined);
    if (port === undefined) return near.resetAndDestroy() && undefined;
    const far = connect(port, '127.0.0.1');
    far.on('error', () => far.destroy());
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  }

  /** Breaks all connections at both ends, with whatever is on its way in them. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
