/**
 * The channel templates of the configuration (section `pubsub`): who may use the channels of a prefix, how long an empty one
 * is kept, and the metrics `pubsub.channels.<prefix>.*`.
 *
 * A channel id is text in dotted segments; the first one is the prefix that selects the template. Privileges: `public` is
 * less than `private`; a caller needs at least the template's. Whoever has the highest one may name channels without
 * template when leaving or publishing: nothing is under them. Source: the 2014 server, but a missing privilege is `public`.
 */
import type { Config } from '../../config/types.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import type { HistoryBounds, HistoryStore } from '../../plugins/history-store.ts';
import type { Privilege } from '../../plugins/types.ts';
import { checkId, refusedId } from '../channel-ids.ts';

const counterNames = [
  'requests',
  'errors',
  'status',
  'subscribe',
  'unsubscribe',
  'publish',
  'published_events',
] as const;

/** That its channels have a history. */
export interface TemplateHistory {
  readonly bounds: HistoryBounds;
  readonly store: HistoryStore;
  /** Each channel's is at its home; otherwise any node can append to it, and read it. */
  readonly isLocal: boolean;
}

/** The store of a name, as configurations have it. */
export type HistoryStores = (name: string) => Pick<TemplateHistory, 'store' | 'isLocal'>;

type TemplateOptions = Config['pubsub']['channels'][string];

export class Template {
  readonly prefix: string;
  readonly privilege: Privilege;
  /** How long a channel without subscribers is kept; 0: for ever. */
  readonly timeoutMs: number;
  readonly history: TemplateHistory | undefined;
  /** If it is told who is in the channels. */
  readonly presence: TemplateOptions['presence'];
  readonly counters: Record<(typeof counterNames)[number], Counter>;
  /** Channels and subscriptions that exist now. */
  channels = 0;
  subscriptions = 0;

  constructor(prefix: string, options: TemplateOptions, metrics: Metrics, stores: HistoryStores) {
    this.prefix = prefix;
    this.privilege = options.privilege;
    this.timeoutMs = options.timeout;
    const { history, presence } = options;
    this.presence = presence;
    this.history = history && {
      bounds: { size: history.size, ttlMs: history.ttl },
      ...stores(history.store),
    };
    const path = `pubsub.channels.${prefix}`;
    this.counters = metrics.counters(path, counterNames);
    metrics.gauge(`${path}.total_channels`, () => this.channels);
    metrics.gauge(`${path}.subscribed_clients`, () => this.subscriptions);
  }
}

export class Templates {
  readonly #templates = new Map<string, Template>();

  constructor(channels: Config['pubsub']['channels'], metrics: Metrics, stores: HistoryStores) {
    for (const [prefix, options] of Object.entries(channels)) {
      this.#templates.set(prefix, new Template(prefix, options, metrics, stores));
    }
  }

  /** Whether it is told of any who is in their channels. */
  get havePresence(): boolean {
    for (const { presence } of this.#templates.values()) if (presence) return true;
    return false;
  }

  /** Whether channels of any have a history. */
  get haveHistory(): boolean {
    return [...this.#templates.values()].some(({ history }) => history);
  }

  /** The template of an id or prefix. */
  of(id: string): Template | undefined {
    return this.#templates.get(prefixOf(id));
  }

  historyOf(id: string): TemplateHistory | undefined {
    return this.of(id)?.history;
  }

  /**
   * The template of a channel that is to be joined.
   * @throws HiveError `bad_channel_id` or `access_denied`
   */
  forJoin(id: string, privilege: Privilege): Template {
    checkId(id);
    return this.#allowed(id, privilege);
  }

  /**
   * Checks ids or prefixes of channels that are to be left or published to.
   * @throws HiveError `bad_channel_id` or `access_denied`
   */
  check(prefixes: readonly string[], privilege: Privilege): void {
    for (const prefix of prefixes) {
      checkId(prefix);
      if (privilege !== 'private') this.#allowed(prefix, privilege);
    }
  }

  #allowed(id: string, privilege: Privilege): Template {
    const template = this.of(id);
    if (!template) throw refusedId('bad_channel_id', 'No channel template has the prefix', prefixOf(id));
    if (template.privilege === 'private' && privilege !== 'private') {
      throw refusedId('access_denied', 'This channel is private:', id);
    }
    return template;
  }
}

function prefixOf(id: string): string {
  const dot = id.indexOf('.');
  return dot < 0 ? id : id.slice(0, dot);
}
