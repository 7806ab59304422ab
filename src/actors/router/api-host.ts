/** What the HTTP API of a node sets in motion: clients by the router, channels by pub-sub. */
import type { PluginSet } from '../../plugins/plugin-set.ts';
import type { HistoryPage, Privilege, Publication, PubSub } from '../../plugins/types.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import type { EventPacket } from '../../protocol/packet.ts';
import type {
  ApiHost,
  ChannelAnswers,
  ChannelPresence,
  ClusterHost,
  Drainage,
  HistoryPartQuery,
  ManyEvents,
  PageQuery,
  Unconfirmed,
} from '../../web/api/api-host.ts';
import type { KeptAnswers } from '../../web/api/kept-answers.ts';
import { checkId } from '../channel-ids.ts';
import type { ConfirmedPublishing } from '../contracts.ts';
import { together } from '../unconfirmed.ts';
import type { RouterService } from './service.ts';

export interface NodeApiSetup {
  readonly version: string;
  readonly router: RouterService;
  readonly pubsub: PubSub &
    ConfirmedPublishing & {
      status(channel: string): number;
      clearHistory(channel: string, privilege: Privilege): Promise<void>;
      readonly unknownPresence: readonly string[];
    };
  /** Members of the cluster that are not connected. */
  readonly missing: () => readonly string[];
  readonly plugins: PluginSet;
  readonly cluster: ClusterHost;
}

export class NodeApi implements ApiHost {
  readonly version: string;
  readonly cluster: ClusterHost;
  readonly #router: RouterService;
  readonly #pubsub: NodeApiSetup['pubsub'];
  readonly #plugins: PluginSet;
  readonly #missing: () => readonly string[];

  constructor({ version, router, pubsub, plugins, cluster, missing }: NodeApiSetup) {
    this.#missing = missing;
    this.version = version;
    this.cluster = cluster;
    this.#router = router;
    this.#pubsub = pubsub;
    this.#plugins = plugins;
  }

  get answers(): KeptAnswers {
    return this.#router.idempotency;
  }

  stop(): void {
    this.#router.stop('shutdown');
  }

  enable(): void {
    this.#router.enable();
  }

  disable(): void {
    this.#router.disable();
  }

  drain(): void {
    this.#router.drain();
  }

  get drainage(): Drainage {
    return this.#router.drainage;
  }

  terminate(reason: string): void {
    void this.#router.terminate(reason);
  }

  runActions(sid: string, actions: readonly ActionCall[]): Promise<void> {
    this.#plugins.check(actions);
    return this.#router.runActions(sid, actions);
  }

  send(sid: string, event: EventPacket): Promise<void> {
    return this.#router.send(sid, event);
  }

  disconnect(sid: string): Promise<void> {
    return this.#router.disconnect(sid);
  }

  ask(sid: string, event: EventPacket, timeoutMs: number): Promise<string> {
    return this.#router.ask(sid, event, timeoutMs);
  }

  publishActions(channel: string, actions: readonly ActionCall[], confirm: boolean): Unconfirmed | undefined {
    this.#plugins.check(actions);
    return this.#publish(channel, { type: 'actions', actions }, confirm);
  }

  publishEvent(channel: string, packet: EventPacket, confirm: boolean): Unconfirmed | undefined {
    return this.#publish(channel, { type: 'event', packet }, confirm);
  }

  publishMany(publications: readonly ManyEvents[], confirm: boolean): Unconfirmed | undefined {
    // All or none.
    for (const { channels } of publications) for (const channel of channels) checkId(channel);
    return together(
      publications.flatMap(({ channels, event: packet }) =>
        channels.map((channel) => this.#publish(channel, { type: 'event', packet }, confirm)),
      ),
    );
  }

  askChannel(channel: string, event: EventPacket, timeoutMs: number): Promise<ChannelAnswers> {
    return this.#router.channelAsks.ask(channel, event, timeoutMs);
  }

  #publish(channel: string, publication: Publication, confirm: boolean): Unconfirmed | undefined {
    if (!confirm) {
      this.#pubsub.publish([channel], 'private', publication);
      return undefined;
    }
    const unconfirmed = this.#pubsub.publishConfirmed([channel], 'private', publication);
    const stored = this.#router.stored();
    return stored ? { whenKnown: (listener) => void stored.then(() => whenKnown(unconfirmed, listener)) } : unconfirmed;
  }

  presence(channel: string, page: PageQuery): ChannelPresence {
    const list = this.#pubsub.presence(channel, 'private', page);
    return { ...list, missing: [...new Set([...this.#pubsub.unknownPresence, ...this.#missing()])].sort() };
  }

  subscribers(channel: string): number {
    return this.#pubsub.status(channel);
  }

  history(channel: string, query: HistoryPartQuery): Promise<HistoryPage> {
    return this.#pubsub.history(channel, 'private', query);
  }

  clearHistory(channel: string): Promise<void> {
    return this.#pubsub.clearHistory(channel, 'private');
  }

  subscribe(sid: string, channels: readonly string[]): Promise<void> {
    return this.#router.subscribe(sid, channels);
  }

  unsubscribe(sid: string, channels: readonly string[]): Promise<void> {
    return this.#router.unsubscribe(sid, channels);
  }
}

function whenKnown(unconfirmed: Unconfirmed | undefined, listener: (nodes: readonly string[]) => void): void {
  if (unconfirmed) unconfirmed.whenKnown(listener);
  else listener([]);
}
