/** Two nodes of one process, each with a client server under a fake session layer, and the real way between them. */
import type { TestContext } from 'node:test';
import { ClusterTable } from '../../src/actors/cluster/cluster-table.ts';
import { Relay } from '../../src/actors/relay/relay.ts';
import { RelayService } from '../../src/actors/relay/service.ts';
import { IdSource } from '../../src/kernel/ids.ts';
import { silent } from '../../src/observe/logger.ts';
import { relayName } from '../../src/web/client/relay/messages.ts';
import type { ClientServerOptions } from '../../src/web/client/server.ts';
import { type SettingsChange, startTestServer, type TestServer } from './client-server.ts';
import { startEpmd, startTestNode, type TestNode } from './cluster.ts';
import { eventually } from './eventually.ts';

export interface RelayTestNode {
  readonly node: TestNode;
  readonly server: TestServer;
  readonly url: string;
  /** The number of open streams, both ways. */
  streams(): number;
  /** Starts the relay actor. */
  startRelay(): Promise<void>;
}

/** What a node's client server is made of, where that is not the usual. */
type Parts = Partial<Pick<ClientServerOptions, 'sockets' | 'newMessageLayer'>>;

async function startNode(t: TestContext, name: string, epmdPort: number, change: SettingsChange, parts?: Parts) {
  const node = await startTestNode(t, name, { epmdPort });
  const { kernel, distribution, metrics } = node;
  const table = new ClusterTable(kernel.node, kernel.creation);
  distribution.onNodeUp((event) => table.up(event.node, event.creation));
  distribution.onNodeDown((event) => table.down(event.node));
  const relays = new RelayService({ kernel, cluster: table, maxQueueBytes: 64 * 1024 * 1024, log: silent, metrics });
  const startRelay = async () => {
    await kernel.spawn(new Relay(relays), { name: relayName });
  };
  await startRelay();
  const ids = new IdSource(kernel.node, kernel.creation);
  const server = await startTestServer(change, { relays, newId: () => ids.next(), ...parts });
  t.after(() => server.close());
  const streams = () => {
    const { relay } = metrics.tree('hive.relay')!.hive as { relay: { entries: number; owned: number } };
    return relay.entries + relay.owned;
  };
  return { node, server, url: server.url, streams, startRelay };
}

/** Clients belong to `owner`, and turn to `entry`. @param parts of the owner, and of the entry */
export async function startRelayPair(
  t: TestContext,
  change: SettingsChange = {},
  parts: readonly [owner?: Parts, entry?: Parts] = [],
): Promise<{ owner: RelayTestNode; entry: RelayTestNode }> {
  const epmdPort = await startEpmd(t);
  const owner = await startNode(t, 'owner@127.0.0.1', epmdPort, change, parts[0]);
  const entry = await startNode(t, 'entry@127.0.0.1', epmdPort, change, parts[1]);
  await entry.node.distribution.connect('owner@127.0.0.1');
  await eventually(() => owner.node.ups.length === 1, 'the connection');
  return { owner, entry };
}
