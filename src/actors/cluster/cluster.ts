/**
 * The cluster actor of a node, registered as `hive_cluster`. While it lives the node listens for other nodes, is connected
 * with them, and keeps the node's cluster table. It starts with what can go wrong only once: a port range without a free
 * port, a name that another node bears. After that, losing and finding other nodes is daily business and no failure.
 *
 * A node that is told of no other nodes serves its clients even if it cannot listen: that is a warning only.
 */

import type { Config } from '../../config/types.ts';
import { startDistribution } from '../../distribution/distribution.ts';
import { leaving, Membership } from '../../distribution/membership.ts';
import { tlsSockets } from '../../distribution/tls-sockets.ts';
import { Actor } from '../../kernel/actor.ts';
import { type From, isPlanned, type NodeName } from '../../kernel/types.ts';
import { toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { type GenServerApi, type GenServerRequest, isGenServerRequest } from '../gen-server/gen-server-api.ts';
import { clusterApi } from '../gen-server/handlers.ts';
import type { ClusterTable } from './cluster-table.ts';

export const clusterName = 'hive_cluster';

export interface ClusterSetup {
  readonly config: Pick<
    Config['hive'],
    | 'cluster_cookie'
    | 'cluster_nodes'
    | 'cluster_port_min'
    | 'cluster_port_max'
    | 'cluster_max_depth'
    | 'cluster_max_elements'
    | 'cluster_max_atoms'
    | 'cluster_max_frame'
    | 'cluster_max_queue'
    | 'cluster_tls'
    | 'epmd_port'
    | 'net_ticktime'
  >;
  readonly table: ClusterTable;
  /** Of this Hive. */
  readonly version: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

type Running = Awaited<ReturnType<typeof startDistribution>>;

export class Cluster extends Actor<GenServerRequest> {
  readonly #setup: ClusterSetup;
  readonly #erlang: GenServerApi;
  #distribution: Running | undefined;
  #membership: Membership | undefined;

  constructor(setup: ClusterSetup) {
    super();
    this.#setup = setup;
    this.#erlang = clusterApi(setup.table, setup.version, setup.log);
  }

  override async init(): Promise<void> {
    const { config, table, log, metrics } = this.#setup;
    const errors = metrics.counters('hive.cluster', ['calls', 'casts', 'errors']).errors;
    metrics.gauge('hive.cluster.size', () => table.nodes().length, 'max');
    metrics.gauge('hive.cluster.nodes', () => table.nodes());
    // Not `terminate`: also one that is killed must free its port and its name, or the next could not start.
    this.kernel.onExit(this.self, (reason) => this.#leave(isPlanned(reason)));
    try {
      await this.#join();
    } catch (error) {
      this.#leave();
      errors.value += 1;
      const failure = toHiveError(error, 'cluster_error');
      const mistaken = failure.code === 'name_taken' || failure.code === 'file_error';
      if (config.cluster_nodes.length > 0 || mistaken) throw failure;
      log.warning(`This node cannot be found by other nodes: ${failure.message}`);
    }
  }

  override admits(message: unknown): boolean {
    return isGenServerRequest(message);
  }

  /** The others are not talked with through this actor: only Erlang processes ask it. */
  receive(message: GenServerRequest, from: From | undefined): void {
    this.#erlang.serve(message, from);
  }

  override inspect(): Record<string, unknown> {
    return {
      port: this.#distribution?.port,
      epmd: this.#distribution?.epmdPort,
      servesEpmd: this.#distribution?.servesEpmd ?? false,
      nodes: this.#setup.table.nodes(),
      known: this.#membership?.known() ?? [],
    };
  }

  async #join(): Promise<void> {
    const { config, table, log, metrics } = this.#setup;
    const distribution = await startDistribution({
      kernel: this.kernel,
      cookie: config.cluster_cookie,
      portMin: config.cluster_port_min,
      portMax: config.cluster_port_max,
      epmdPort: config.epmd_port,
      netTicktimeMs: config.net_ticktime * 1000,
      maxQueueBytes: config.cluster_max_queue,
      maxFrameBytes: config.cluster_max_frame,
      maxDepth: config.cluster_max_depth,
      maxElements: config.cluster_max_elements,
      maxAtoms: config.cluster_max_atoms,
      log,
      metrics,
      ...(config.cluster_tls ? { sockets: tlsSockets(config.cluster_tls, log) } : {}),
    });
    this.#distribution = distribution;
    if (!this.alive) return this.#leave();
    distribution.onNodeUp(({ node, creation, hive }) => {
      if (hive) this.#up(node, creation);
    });
    distribution.onNodeDown(({ node, hive, reason }) => {
      if (hive) this.#down(node, reason);
    });
    // Who was quick enough to connect before that.
    for (const { node, creation } of distribution.members()) this.#up(node, creation);
    const onAbsent = (node: string) => table.gone(node as NodeName);
    const membership = new Membership({ connections: distribution, seeds: config.cluster_nodes, log, onAbsent });
    this.#membership = membership;
    table.known = () => membership.known().map(({ node }) => node as NodeName);
    await membership.start();
    if (!this.alive) this.#leave();
  }

  #up(node: NodeName, creation: number): void {
    this.#setup.log.notice(`${node} is connected`, { peer: node });
    this.#setup.table.up(node, creation);
  }

  #down(node: NodeName, reason: string): void {
    this.#setup.log.notice(`${node} is lost: ${reason}`, { peer: node });
    this.#setup.table.down(node, reason === leaving);
  }

  /**
   * Ends whatever was begun.
   * @param forGood the others need not expect this node back
   */
  #leave(forGood = true): void {
    this.#membership?.stop(forGood);
    this.#distribution?.stop(forGood ? leaving : 'disconnect');
    this.#membership = undefined;
    this.#distribution = undefined;
    this.#setup.table.clear();
  }
}
