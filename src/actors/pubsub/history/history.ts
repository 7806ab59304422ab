/**
 * Channels with a history. Whatever is published to one is numbered and kept by the channel's home, and leaves that node for all others
 * with its number: so its order is the same everywhere, and a node that misses a number asks for it.
 *
 *   publish ──home is here──────────▶ store ──position──▶ channels here, and Links to all nodes that want it
 *           └─elsewhere─▶ outbox ──▶ `hive_history` there ──▶ the same
 *
 * Of what is published to a prefix, the id itself and each channel below it that this node knows to exist keep it.
 * It belongs to the node and not to an actor; the actor `hive_history` takes what other nodes send.
 */
import type { Kernel } from '../../../kernel/kernel.ts';
import type { Call, NodeName } from '../../../kernel/types.ts';
import { HiveError, toHiveError } from '../../../observe/errors.ts';
import type { Log } from '../../../observe/logger.ts';
import type { Metrics } from '../../../observe/metrics.ts';
import type { Append, HistoryEntry, HistoryPart, HistoryQuery, Later } from '../../../plugins/history-store.ts';
import type { MemoryHistories } from '../../../plugins/history-stores/memory.ts';
import type { Position, Privilege, Publication } from '../../../plugins/types.ts';
import type { Unconfirmed } from '../../../web/api/api-host.ts';
import type { ClusterTable } from '../../cluster/cluster-table.ts';
import { fromTerm, sizeOf, toTerm } from '../publication.ts';
import type { Template, TemplateHistory, Templates } from '../templates.ts';
import { HomeConfirmations } from './home-confirmations.ts';
import { Homes } from './homes.ts';
import { Outboxes } from './outboxes.ts';
import type { AppendMessage, ConfirmedMessage, HistoryMessage, Item, MovedMessage } from './wire-messages.ts';

export const historyName = 'hive_history';

export interface HistorySetup {
  readonly kernel: Kernel;
  /** This one, `id@host#creation`. */
  readonly boot: string;
  readonly cluster: ClusterTable;
  readonly templates: Templates;
  readonly memory: MemoryHistories;
  /** Passes something on that has its position; says who is to confirm it. */
  readonly publish: (
    channel: string,
    privilege: Privilege,
    publication: Publication,
    position: Position,
    confirm: boolean,
  ) => Unconfirmed | undefined;
  /** The channels below a prefix that are known to exist, on whichever node. */
  readonly below: (prefix: string) => Iterable<string>;
  /** Whether a channel exists, on whichever node. */
  readonly isWanted: (channel: string) => boolean;
  /** Bytes that may wait for homes. */
  readonly maxBytes: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** How long a home may take to store a batch, ms; then it is sent again. */
const appendTimeoutMs = 10_000;
/** How long a home may take for a part of a history, ms. */
const readTimeoutMs = 3000;
/** How often it is tried, and until it is tried again, ms. */
const readAttempts = 5;
const readRetryMs = 100;
const moveTimeoutMs = 5000;
/** Until a node has taken note that this one leaves, and has what was here, ms. */
const leaveTimeoutMs = 5000;
const leaveLookMs = 20;
const sweepMs = 10_000;

export class Histories {
  readonly #setup: HistorySetup;
  readonly #homes: Homes;
  readonly #outboxes: Outboxes;
  readonly #confirmations: HomeConfirmations;
  readonly #counters: ReturnType<typeof countersOf>;
  #number = 0;
  #isLeaving = false;
  /** Histories that nobody wants are looked for from time to time. */
  #isSwept = false;

  constructor(setup: HistorySetup) {
    const { kernel, cluster, memory, metrics, log } = setup;
    this.#setup = setup;
    const counters = countersOf(metrics);
    this.#counters = counters;
    this.#homes = new Homes({
      self: kernel.node,
      memory,
      wheel: kernel.wheel,
      nodes: () => cluster.nodes(),
      missing: () => cluster.missing(),
      send: async (node, histories, nodes) => {
        const message: MovedMessage = { type: 'moved', node: kernel.node, histories, nodes };
        await this.#ask(node, message, moveTimeoutMs);
      },
      moved: (count) => {
        counters.moved.value += count;
      },
      log,
    });
    this.#outboxes = new Outboxes({
      wheel: kernel.wheel,
      homeOf: (channel) => this.#homes.homeOf(channel),
      send: (home, items) => this.#sendTo(home, items),
      maxBytes: setup.maxBytes,
      failed: (home, error) => this.#failed(home, error),
    });
    this.#confirmations = new HomeConfirmations(kernel.wheel);
    metrics.gauge('pubsub.history.channels', () => memory.kept.channels);
    metrics.gauge('pubsub.history.entries', () => memory.kept.entries);
    metrics.gauge('pubsub.history.bytes', () => memory.kept.bytes);
    metrics.gauge('pubsub.history.waiting', () => this.#outboxes.waiting);
    cluster.listen({
      nodeUp: (node) => this.#homes.nodeUp(node),
      nodeDown: (node) => this.#homes.nodeDown(node),
    });
  }

  /** The actor `hive_history` has started, and takes what other nodes send. */
  started(): void {
    this.#homes.start();
    if (!this.#isSwept) this.#sweep();
  }

  /** Whether any of these ids or prefixes is of a template with a history. */
  concerns(prefixes: readonly string[]): boolean {
    for (const prefix of prefixes) if (this.#setup.templates.historyOf(prefix)) return true;
    return false;
  }

  /** Publishes to one id or prefix of a template with a history. */
  publish(
    prefix: string,
    privilege: Privilege,
    publication: Publication,
    confirm: boolean,
  ): (Unconfirmed | undefined)[] {
    const unconfirmed = [this.#publishTo(prefix, privilege, publication, confirm)];
    for (const channel of this.#setup.below(prefix)) {
      if (channel !== prefix) unconfirmed.push(this.#publishTo(channel, privilege, publication, confirm));
    }
    return unconfirmed;
  }

  #publishTo(
    channel: string,
    privilege: Privilege,
    publication: Publication,
    confirm: boolean,
  ): Unconfirmed | undefined {
    const { templates, memory, boot } = this.#setup;
    this.#number += 1;
    const number = this.#number;
    const content = toTerm(publication);
    const bytes = sizeOf(content, [channel]);
    const { bounds, isLocal } = templates.historyOf(channel)!;
    if (isLocal && this.#isHere(channel) && !this.#outboxes.has(channel)) {
      const position = memory.appendOne({ channel, bounds, content, bytes, origin: boot, number })!;
      this.#counters.appended.value += 1;
      return this.#setup.publish(channel, privilege, publication, position, confirm);
    }
    const confirmation = confirm ? this.#confirmations.add(number, this.#homes.homeOf(channel)) : undefined;
    if (!this.#outboxes.add([number, channel, privilege, content, confirm], bytes)) this.#drop(number, channel);
    return confirmation;
  }

  #isHere(channel: string): boolean {
    return this.#homes.isHome(channel) && this.#homes.isReady(channel);
  }

  #drop(number: number, channel: string): void {
    this.#counters.dropped.value += 1;
    const home = this.#homes.homeOf(channel);
    this.#confirmations.settle(number, [home]);
    const { log } = this.#setup;
    if (log.excess('publishes that did not reach the home of their channel', home)) return;
    log.warning(`Publishes are lost: too many wait for ${home}, which keeps the history of their channel`, {
      peer: home,
    });
  }

  #failed(home: NodeName, error: unknown): void {
    this.#counters.resent.value += 1;
    const { log } = this.#setup;
    const { code, message } = toHiveError(error);
    if (code === 'cluster_error' || code === 'not_running') return; // it has gone, or begins
    if (log.excess('histories that could not be written', home)) return;
    log.warning(`What was published waits, its history cannot be written at ${home}: ${message}`, { peer: home });
  }

  #sendTo(home: NodeName, items: readonly Item[]): Promise<readonly number[]> {
    const { kernel, boot } = this.#setup;
    const message: AppendMessage = { type: 'append', by: boot, items };
    if (home === kernel.node) return this.append(message);
    return this.#ask<readonly number[]>(home, message, appendTimeoutMs);
  }

  #ask<Reply>(node: NodeName, message: HistoryMessage & Call<unknown>, timeoutMs: number): Promise<Reply> {
    const { kernel } = this.#setup;
    return kernel.ask(kernel.remote(node, historyName), message, timeoutMs) as Promise<Reply>;
  }

  // --- as a home

  /** Stores what a boot of a node has published, and passes it on. Resolves to the numbers of those whose home is elsewhere. */
  async append({ by, items }: AppendMessage): Promise<readonly number[]> {
    if (items.some(([, channel]) => !this.#homes.isReady(channel))) await this.#homes.settled();
    const refused: number[] = [];
    const byTemplate = new Map<Template, Item[]>();
    for (const item of items) {
      const [number, channel] = item;
      const template = this.#setup.templates.of(channel);
      if (!template?.history) {
        this.#refuse(channel);
        continue;
      }
      if (template.history.isLocal && !this.#homes.isHome(channel)) {
        refused.push(number);
        continue;
      }
      const others = byTemplate.get(template);
      if (others) others.push(item);
      else byTemplate.set(template, [item]);
    }
    const stored = [...byTemplate].map(([{ history }, part]) => this.#appendPart(history!, by, part));
    await Promise.all(stored);
    return refused;
  }

  async #appendPart({ store, bounds }: TemplateHistory, by: string, items: readonly Item[]): Promise<void> {
    const appends = items.map(([number, channel, , content]): Append => {
      return { channel, bounds, content, bytes: sizeOf(content, [channel]), origin: by, number };
    });
    const answer = store.append(appends);
    const positions = answer instanceof Promise ? await answer : answer;
    for (const [i, item] of items.entries()) this.#passOn(by, item, positions[i]);
  }

  #passOn(by: string, [number, channel, privilege, term, confirm]: Item, position: Position | undefined): void {
    const answer = (missing: readonly string[]) => this.#confirm(by, number, missing);
    // It came again, and so has another of that node behind it: whoever misses it sees by that.
    if (!position) return confirm ? answer([]) : undefined;
    this.#counters.appended.value += 1;
    try {
      const unconfirmed = this.#setup.publish(channel, privilege, fromTerm(term), position, confirm);
      if (unconfirmed) unconfirmed.whenKnown(answer);
      else if (confirm) answer([]);
    } catch (error) {
      this.#refuse(channel, error);
      if (confirm) answer([]);
    }
  }

  #confirm(by: string, number: number, missing: readonly string[]): void {
    const { boot, kernel } = this.#setup;
    if (by === boot) return this.#confirmations.settle(number, missing);
    const node = by.slice(0, by.lastIndexOf('#')) as NodeName;
    kernel.remote<HistoryMessage>(node, historyName).tell({ type: 'confirmed', number, missing });
  }

  confirmed({ number, missing }: ConfirmedMessage): void {
    this.#confirmations.settle(number, missing);
  }

  #refuse(channel: string, error?: unknown): void {
    this.#setup.metrics.counter('pubsub.errors').value += 1;
    const { log } = this.#setup;
    if (log.excess('a message was refused', historyName)) return;
    const reason = error === undefined ? 'no template with a history is there for it' : toHiveError(error).summary;
    log.warning(`What another node published to a channel with a history was refused: ${reason}`);
    log.debug(`The channel was ${channel}`);
  }

  moved({ node, histories, nodes }: MovedMessage): void {
    this.#homes.take(node, histories, nodes);
  }

  leaves(node: NodeName): void {
    this.#homes.leaves(node);
  }

  // --- reading

  /**
   * A part of a channel's history, wherever it is.
   * @throws HiveError `bad_channel_id` (no history), or what the store or the home's node fails with
   */
  read(channel: string, query: HistoryQuery): Later<HistoryPart> {
    const { memory } = this.#setup;
    const { store, bounds, isLocal } = this.#historyOf(channel);
    if (!isLocal) return store.read(channel, bounds, query);
    if (this.#isHere(channel)) return memory.read(channel, bounds, query);
    return this.#atHome<HistoryPart>(channel, { type: 'read', channel, query });
  }

  /** What a home answers; null: it is none for that channel. */
  async readHere(channel: string, query: HistoryQuery): Promise<HistoryPart | null> {
    if (!this.#homes.isReady(channel)) await this.#homes.settled();
    const { bounds } = this.#historyOf(channel);
    return this.#homes.isHome(channel) ? this.#setup.memory.read(channel, bounds, query) : null;
  }

  /** The last ones, at most so many, up to a position or all. */
  last(channel: string, position: Position | undefined, count: number): Promise<HistoryPart> {
    const [epoch, offset] = position ?? [];
    const before = offset === undefined ? undefined : offset + 1;
    return this.part(channel, { epoch, before, limit: count });
  }

  /** As `read`, but whole: an answer does not hold any number of bytes. */
  async part(channel: string, query: HistoryQuery): Promise<HistoryPart> {
    const { since, before, limit } = query;
    const part = await this.read(channel, query);
    const { epoch } = part;
    let entries: readonly HistoryEntry[] = part.entries;
    while (entries.length > 0 && entries.length < limit) {
      const [first, last] = [entries[0]!.offset, entries.at(-1)!.offset];
      const more = limit - entries.length;
      if (since === undefined ? first === 1 : last >= part.offset) break;
      const range = since === undefined ? { before: first } : { since: last, before };
      const next = await this.read(channel, { epoch, ...range, limit: more });
      if (next.epoch !== epoch || next.entries.length === 0) break;
      entries = since === undefined ? [...next.entries, ...entries] : [...entries, ...next.entries];
    }
    return { ...part, entries };
  }

  /** Forgets the entries. @throws as `read` */
  async clear(channel: string): Promise<void> {
    const { store, isLocal } = this.#historyOf(channel);
    if (!isLocal) return store.clear(channel);
    await this.#atHome<true>(channel, { type: 'clear', channel });
  }

  async clearHere(channel: string): Promise<true | null> {
    if (!this.#homes.isReady(channel)) await this.#homes.settled();
    if (!this.#homes.isHome(channel)) return null;
    this.#setup.memory.clear(channel);
    return true;
  }

  async #atHome<Reply>(channel: string, message: HistoryMessage): Promise<Reply> {
    const { kernel } = this.#setup;
    for (let attempt = 1; ; attempt += 1) {
      const home = this.#homes.homeOf(channel);
      try {
        const answer = await this.#ask<Reply | null>(home, message, readTimeoutMs);
        if (answer !== null) return answer;
        if (attempt === readAttempts)
          throw new HiveError('cluster_error', `The nodes do not agree on who keeps ${channel}.`);
      } catch (error) {
        if (attempt === readAttempts || toHiveError(error).code === 'timeout') throw error;
      }
      await new Promise<void>((resolve) => kernel.wheel.schedule(readRetryMs, resolve));
    }
  }

  #historyOf(channel: string): TemplateHistory {
    const history = this.#setup.templates.historyOf(channel);
    if (!history) throw new HiveError('bad_channel_id', `The channel ${channel} has no history.`);
    return history;
  }

  repaired(entries: number): void {
    this.#counters.repaired.value += entries;
  }

  replayed(entries: number): void {
    this.#counters.replayed.value += entries;
  }

  // --- the end

  /** This node is about to stop: what it has goes to the others. */
  async leave(): Promise<void> {
    const { kernel, cluster, log } = this.#setup;
    const others = cluster.nodes().filter((node) => node !== kernel.node);
    if (this.#isLeaving || others.length === 0) return;
    this.#isLeaving = true;
    const told = others.map((node) => this.#ask(node, { type: 'leaving', node: kernel.node }, leaveTimeoutMs));
    await Promise.allSettled(told);
    this.#homes.leaves(kernel.node);
    const deadline = performance.now() + leaveTimeoutMs;
    while (!this.#homes.isEmpty || this.#outboxes.waiting > 0) {
      if (performance.now() > deadline) return void log.warning('Not all histories of channels could be handed over');
      await new Promise<void>((resolve) => kernel.wheel.schedule(leaveLookMs, resolve));
    }
  }

  #sweep(): void {
    this.#isSwept = true;
    const { kernel, memory, isWanted } = this.#setup;
    memory.sweep(isWanted);
    kernel.wheel.schedule(sweepMs, () => this.#sweep());
  }
}

function countersOf(metrics: Metrics) {
  return metrics.counters('pubsub.history', ['appended', 'moved', 'resent', 'dropped', 'repaired', 'replayed']);
}
