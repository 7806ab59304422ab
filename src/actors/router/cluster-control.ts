/**
 * What the HTTP API asks of the whole cluster. Admission is opened and closed on all nodes at once; clients leave, and nodes
 * stop, one node after the other, this one last: so that back ends are not flooded with disconnects, and the cluster is there
 * as long as it can be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Kernel } from '../../kernel/kernel.ts';
import { isGone, type NodeName } from '../../kernel/types.ts';
import { toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type {
  ClientFilter,
  ClusterHost,
  ListedChannel,
  ListedClient,
  Paged,
  PageQuery,
  Reached,
} from '../../web/api/api-host.ts';
import { checkId } from '../channel-ids.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';
import { multiCall } from '../cluster/multi-call.ts';
import type { ChannelRow } from '../contracts.ts';
import { merged } from '../pages.ts';
import type { RouterService } from './service.ts';
import type { UserControl } from './user-control.ts';
import { type ClientRow, expectOk, type RouterAnswer, type RouterMessage, routerName } from './wire-messages.ts';

export interface ClusterControlSetup {
  readonly kernel: Kernel;
  readonly cluster: ClusterTable;
  readonly router: RouterService;
  /** `hive.graceful_termination_timeout`, supposed to be that of all nodes. */
  readonly graceMs: number;
  readonly log: Log;
}

/** Beyond the time that its clients have to leave and for their `on_disconnect`: until a node that does not end counts as one that will not. */
const patienceMs = 30_000;

export class ClusterControl implements ClusterHost {
  readonly users: UserControl;
  readonly #setup: ClusterControlSetup;

  constructor(setup: ClusterControlSetup) {
    this.#setup = setup;
    this.users = setup.router.users;
  }

  enable(): Promise<Reached> {
    return this.#admission('enable');
  }

  disable(): Promise<Reached> {
    return this.#admission('disable');
  }

  async #admission(type: 'enable' | 'disable'): Promise<Reached> {
    const { nodes, missing } = await this.#callAll({ type });
    return { nodes, missing };
  }

  async subscribers(channel: string): Promise<Reached & { subscribed_clients: number }> {
    checkId(channel);
    const { answers, ...reached } = await this.#callAll({ type: 'subscribers', channel });
    let subscribers = 0;
    for (const [, answer] of answers) if ('subscribers' in answer) subscribers += answer.subscribers;
    return { subscribed_clients: subscribers, ...reached };
  }

  async channels(channel: string, { after, limit }: PageQuery): Promise<Reached & Paged<'channels', ListedChannel>> {
    if (channel !== '') checkId(channel);
    const { answers, ...reached } = await this.#callAll({ type: 'channels', channel, after, limit: limit + 1 });
    const lists = answers.map(([, answer]) => ('channels' in answer ? answer.channels : []));
    // A node hears what is published only while it has the channel: the one that has had it longest knows most.
    const add = ([id, one, heard]: ChannelRow, [, other, otherHeard]: ChannelRow): ChannelRow => {
      return [id, one + other, Math.max(heard, otherHeard)];
    };
    const { rows, cursor } = merged(lists, limit, nameOf, add);
    const channels = rows.map(([id, subscriptions, published]) => {
      return { channel: id, subscribed_clients: subscriptions, published };
    });
    return { channels, cursor, ...reached };
  }

  async clients(
    { channel = '', user = '' }: ClientFilter,
    { after, limit }: PageQuery,
  ): Promise<Reached & Paged<'clients', ListedClient>> {
    if (channel !== '') checkId(channel);
    const { answers, ...reached } = await this.#callAll({ type: 'clients', channel, user, after, limit: limit + 1 });
    const lists = answers.map(([node, answer]) => ('clients' in answer ? answer.clients.map(listedAt(node)) : []));
    // One that is just moving may be at two.
    const { rows, cursor } = merged(lists, limit, sidOf, (one, other) => (one.suspended ? other : one));
    return { clients: rows, cursor, ...reached };
  }

  terminate(reason: string): void {
    void this.#rolling('terminate', reason, () => this.#setup.router.terminate(reason));
  }

  stop(): void {
    const reason = 'shutdown';
    void this.#rolling('stop', reason, () => this.#setup.router.stop(reason));
  }

  async #callAll(message: RouterMessage): Promise<Reached & { answers: [NodeName, RouterAnswer][] }> {
    const { replies, missing } = await multiCall(this.#setup, routerName, message);
    const answers: [NodeName, RouterAnswer][] = [];
    const failed: NodeName[] = [];
    for (const [node, answer] of replies) {
      if ('error' in answer) {
        this.#setup.log.warning(`${node} refused to ${message.type}: ${answer.description}`, {
          peer: node,
          error: answer.error,
        });
        failed.push(node);
      } else {
        answers.push([node, answer]);
      }
    }
    const nodes = answers.map(([node]) => node).sort();
    return { answers, nodes, missing: [...missing, ...failed].sort() };
  }

  async #rolling(type: 'terminate' | 'stop', reason: string, here: () => void | Promise<void>): Promise<void> {
    const { cluster, log, router } = this.#setup;
    const others = cluster.nodes().filter((node) => node !== cluster.self);
    for (const [index, node] of others.sort().entries()) {
      if (router.isStopping) {
        // Somebody wants this node to end now, and without it nobody is told.
        log.warning(`This node stops before the others were told to ${type}`, { peers: others.slice(index) });
        return;
      }
      log.notice(`${node} is told to ${type}`, { peer: node });
      await this.#await(node, { type, reason });
    }
    await here();
  }

  /** Resolves when the node has done it, is lost, or has had its time. */
  async #await(node: NodeName, message: RouterMessage & { type: 'terminate' | 'stop' }): Promise<void> {
    const { kernel, cluster, graceMs, log } = this.#setup;
    let listening: Disposable | undefined;
    const lost = new Promise<void>((resolve) => {
      const nodeDown = (down: NodeName): void => {
        if (down === node) resolve();
      };
      listening = cluster.listen({ nodeUp: () => {}, nodeDown });
    });
    const router = kernel.remote<RouterMessage>(node, routerName);
    try {
      await Promise.race([kernel.ask(router, message, 2 * graceMs + patienceMs).then(expectOk), lost]);
    } catch (error) {
      const { message: description } = toHiveError(error);
      // A node that stops ends its router before its connections.
      if (message.type === 'stop' && isGone(error)) await Promise.race([lost, patience()]);
      else if (cluster.nodes().includes(node))
        log.warning(`${node} did not ${message.type}: ${description}`, { peer: node });
    } finally {
      listening?.[Symbol.dispose]();
    }
  }
}

function patience(): Promise<void> {
  return delay(patienceMs, undefined, { ref: false });
}

function nameOf([name]: ChannelRow): string {
  return name;
}

function sidOf({ sid }: ListedClient): string {
  return sid;
}

function listedAt(node: NodeName): (row: ClientRow) => ListedClient {
  return ([sid, connectedAt, suspended, user]) => ({ sid, user, node, connected_at: connectedAt, suspended });
}
