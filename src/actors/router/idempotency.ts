/**
 * What was answered to calls with an `Idempotency-Key`, for the whole cluster: at the key's home and at its second home, which is the
 * home when the first one has gone.
 *
 *   a node that is called ──begin──▶ home ──known?──▶ second home
 *                         ◀── yours ──┘                             nobody has begun it
 *   carries it out        ──end─────▶ home, second home
 *
 *   another one           ──begin──▶ home: waits for the end, and gets the answer
 *
 * A node that becomes the home of a key by its arrival asks the second one, which was the home before. If the node that carries out a call is
 * lost, nobody knows what it has done.
 */
import { tagOf } from '../../kernel/ids.ts';
import type { Kernel } from '../../kernel/kernel.ts';
import { Timer } from '../../kernel/timers.ts';
import { callTimeoutMs, type NodeName } from '../../kernel/types.ts';
import { HiveError, toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { Counter, Metrics } from '../../observe/metrics.ts';
import { failure, hadEffect, type KeptAnswer, type KeptAnswers, type Once } from '../../web/api/kept-answers.ts';
import type { ClusterTable } from '../cluster/cluster-table.ts';
import { Rendezvous } from '../rendezvous.ts';
import {
  expectOk,
  type KeptRow,
  type KeyBegun,
  type KeyRow,
  type RouterAnswer,
  type RouterMessage,
  routerName,
} from './wire-messages.ts';

export interface IdempotencySetup {
  readonly kernel: Kernel;
  readonly cluster: Pick<ClusterTable, 'nodes' | 'nodeOf' | 'tagOf' | 'listen'>;
  readonly ttlMs: number;
  readonly maxKeys: number;
  readonly log: Log;
  readonly metrics: Metrics;
}

interface Entry {
  readonly digest: string;
  /** The tag of the boot that carries it out. */
  readonly by: string;
  /** When it is forgotten, on the clock of `performance.now()`. */
  readonly dueAt: number;
  answer: KeptAnswer | undefined;
  readonly bytes: number;
  /** The other home is being asked whether it knows of it. */
  isAsking: boolean;
  /** Those who wait for the answer. */
  waiting: (() => void)[];
}

/** How long the end of a call is waited for that somebody else carries out, ms. */
const patienceMs = 30_000;
/** Of all answers together. */
const maxBytes = 64 * 1024 * 1024;
/** Texts aside, roughly. */
const overheadBytes = 300;
/** How often, and how long after one another (ms), a home is told the end of a call that does not confirm it. */
const tries = 10;
/** Keys that are handed over in one turn of the event loop. */
const handedAtOnce = 200;
const retryMs = 500;

export class Idempotency implements KeptAnswers {
  readonly #setup: IdempotencySetup;
  readonly #self: string;
  readonly #rendezvous = new Rendezvous();
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;
  readonly #counters: Record<'replayed' | 'reused' | 'uncertain', Counter>;
  readonly #expiry = new Timer({ expire: () => this.#expire() });

  constructor(setup: IdempotencySetup) {
    this.#setup = setup;
    const { kernel, cluster, metrics } = setup;
    this.#self = tagOf(kernel.node, kernel.creation);
    this.#counters = metrics.counters('api.idempotency', ['replayed', 'reused', 'uncertain']);
    metrics.gauge('api.idempotency.keys', () => this.#entries.size);
    metrics.gauge('api.idempotency.bytes', () => this.#bytes);
    this.#rendezvous.nodes = cluster.nodes();
    const joined = (node: NodeName): void => {
      this.#rendezvous.nodes = cluster.nodes();
      void this.#handTo(node);
    };
    const lost = (): void => {
      this.#rendezvous.nodes = cluster.nodes();
      for (const node of cluster.nodes()) void this.#handTo(node);
      // Who waits for a node that is lost waits no longer.
      for (const entry of this.#entries.values()) if (!entry.answer && entry.waiting.length > 0) wake(entry);
    };
    cluster.listen({ nodeUp: joined, nodeDown: lost });
  }

  async once(key: string, digest: string, perform: () => Promise<KeptAnswer>): Promise<Once> {
    const begun = await this.#begin(key, digest);
    if (begun !== 'yours') {
      this.#counters.replayed.value += 1;
      return { answer: begun, isReplayed: true };
    }
    let answer: KeptAnswer | null = null;
    try {
      answer = await perform();
      return { answer, isReplayed: false };
    } catch (thrown) {
      const isKnown = thrown instanceof HiveError;
      const error = isKnown
        ? thrown
        : new HiveError('internal_error', 'The first call with that Idempotency-Key failed.');
      if (hadEffect(error)) answer = failure(error);
      throw thrown;
    } finally {
      this.#end(key, digest, answer);
    }
  }

  async #begin(key: string, digest: string): Promise<KeyBegun> {
    const [home] = this.#rendezvous.homesOf(key, 1);
    try {
      if (home === this.#setup.kernel.node) return await this.begin(key, digest, this.#self);
      const answer = await this.#ask(
        home!,
        { type: 'key_begin', key, digest, by: this.#self },
        patienceMs + callTimeoutMs,
      );
      expectOk(answer);
      if ('begun' in answer) return answer.begun;
      throw new HiveError('cluster_error', `${home} has answered something else.`);
    } catch (error) {
      const { code } = toHiveError(error);
      if (code === 'idempotency_key_reused') this.#counters.reused.value += 1;
      if (code === 'idempotency_uncertain') this.#counters.uncertain.value += 1;
      throw error;
    }
  }

  #end(key: string, digest: string, answer: KeptAnswer | null): void {
    for (const home of this.#rendezvous.homesOf(key, 2)) {
      if (home === this.#setup.kernel.node) this.end(key, { digest, by: this.#self, answer });
      else void this.#tellEnd(home, key, { digest, by: this.#self, answer });
    }
  }

  async #tellEnd(home: NodeName, key: string, row: KeyRow): Promise<void> {
    const { kernel, cluster, log } = this.#setup;
    for (let attempt = 1; cluster.nodes().includes(home); attempt += 1) {
      try {
        return expectOk(await this.#ask(home, { type: 'key_end', key, ...row }));
      } catch (error) {
        if (attempt < tries) await new Promise<void>((resolve) => kernel.wheel.schedule(retryMs, resolve));
        else
          return log.warning(`${home} has not taken note of what was done: ${toHiveError(error).message}`, {
            peer: home,
          });
      }
    }
  }

  #ask(node: NodeName, message: RouterMessage, timeoutMs = callTimeoutMs): Promise<RouterAnswer> {
    const { kernel } = this.#setup;
    return kernel.ask<RouterMessage, RouterAnswer>(kernel.remote(node, routerName), message, timeoutMs);
  }

  // --- when nodes come and go

  /** Those of what is kept here whose home that node is now are sent to it. Whoever has one already keeps what it has. */
  async #handTo(node: NodeName): Promise<void> {
    const { cluster, log } = this.#setup;
    const tag = cluster.tagOf(node);
    const isThere = () => tag !== undefined && cluster.tagOf(node) === tag;
    const keys = [...this.#entries.keys()];
    while (keys.length > 0 && isThere()) {
      const rows = keys.splice(-handedAtOnce).flatMap((key): KeptRow[] => {
        const entry = this.#rendezvous.homesOf(key, 2).includes(node) ? this.#entries.get(key) : undefined;
        return entry ? [[key, { digest: entry.digest, by: entry.by, answer: entry.answer ?? null }]] : [];
      });
      if (rows.length === 0) await new Promise(setImmediate);
      else if (!(await this.#tellKept(node, rows, isThere))) {
        return log.warning(`${node} has not taken what was answered to calls with an Idempotency-Key`, { peer: node });
      }
    }
  }

  async #tellKept(node: NodeName, rows: readonly KeptRow[], isThere: () => boolean): Promise<boolean> {
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      try {
        expectOk(await this.#ask(node, { type: 'keys_kept', rows }));
        return true;
      } catch (error) {
        // One that is only starting has no router yet.
        if (!isThere()) return true;
        this.#setup.log.debug(`${node} does not take keys yet: ${toHiveError(error).message}`);
        await new Promise<void>((resolve) => this.#setup.kernel.wheel.schedule(retryMs, resolve));
      }
    }
    return false;
  }

  /** Another node hands over what it has kept. */
  take(rows: readonly KeptRow[]): void {
    for (const [key, row] of rows) this.copy(key, row);
  }

  // --- at the homes

  /** Somebody is about to carry out a call: he may, or gets its answer. @throws HiveError (rejection) as `once` */
  async begin(key: string, digest: string, by: string): Promise<KeyBegun> {
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const entry = this.#entries.get(key);
      if (!entry) {
        if (await this.#isNew(key, { digest, by, answer: null })) return 'yours';
        continue;
      }
      if (entry.digest !== digest) {
        throw new HiveError('idempotency_key_reused', 'Another call has been made with that Idempotency-Key.');
      }
      if (entry.answer) return entry.answer;
      if (!this.#isThere(entry.by)) {
        const why = 'The node that carried out the first call with that Idempotency-Key was lost.';
        throw new HiveError(
          'idempotency_uncertain',
          `${why} Look whether it has done it; a further one needs another key.`,
        );
      }
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) {
        throw new HiveError('timeout', 'The first call with that Idempotency-Key has not been answered yet.');
      }
      await this.#change(entry, leftMs);
    }
  }

  /** Notes that it is being carried out, here and at the other home; unless that one knows of it. */
  async #isNew(key: string, row: KeyRow): Promise<boolean> {
    const entry = this.#put(key, row);
    const other = this.#rendezvous.homesOf(key, 2).find((home) => home !== this.#setup.kernel.node);
    if (other === undefined) return true;
    let known: KeyRow | null = null;
    entry.isAsking = true;
    try {
      const answer = await this.#ask(other, { type: 'key_copy', key, ...row });
      if ('key' in answer) known = answer.key;
    } catch (error) {
      this.#setup.log.info(`${other} keeps no copy of an Idempotency-Key: ${toHiveError(error).message}`, {
        peer: other,
      });
    }
    entry.isAsking = false;
    if (this.#entries.get(key) !== entry) return false;
    if (!known) return true;
    this.#drop(key, entry);
    this.#put(key, known);
    wake(entry);
    return false;
  }

  /**
   * The other home has been asked to let a call be carried out: it is noted here, or the answer is what is known. Where nodes see different
   * members, both may be asked at the same moment: then both agree on one.
   */
  copy(key: string, row: KeyRow): KeyRow | null {
    const entry = this.#entries.get(key);
    if (entry && !entry.answer && row.answer && entry.digest === row.digest) {
      this.end(key, { ...row, by: entry.by });
      return null;
    }
    if (entry && !(entry.isAsking && row.by < entry.by)) {
      return { digest: entry.digest, by: entry.by, answer: entry.answer ?? null };
    }
    if (entry) this.#drop(key, entry);
    this.#put(key, row);
    if (entry) wake(entry);
    return null;
  }

  /** It has been carried out; `answer` null: without effect. */
  end(key: string, row: KeyRow): void {
    const entry = this.#entries.get(key);
    // What others have begun since is theirs.
    if (entry && (entry.by !== row.by || entry.answer)) return;
    if (entry) this.#drop(key, entry);
    if (row.answer) this.#put(key, row);
    if (entry) wake(entry);
  }

  #isThere(tag: string): boolean {
    return this.#setup.cluster.nodeOf(tag) !== undefined;
  }

  /** Resolves when there is news of it, or after so long. */
  #change(entry: Entry, ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = new Timer({ expire: resolve });
      this.#setup.kernel.wheel.start(timer, ms);
      entry.waiting.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  // --- what is kept

  #put(key: string, { digest, by, answer }: KeyRow): Entry {
    const bytes = overheadBytes + key.length + (answer?.text?.length ?? 0);
    const dueAt = performance.now() + this.#setup.ttlMs;
    const entry: Entry = { digest, by, dueAt, answer: answer ?? undefined, bytes, isAsking: false, waiting: [] };
    this.#entries.set(key, entry);
    this.#bytes += bytes;
    // What is being carried out is kept: nobody else shall begin it.
    for (const [oldest, one] of this.#entries) {
      if (this.#entries.size <= this.#setup.maxKeys && this.#bytes <= maxBytes) break;
      if (one.answer && one !== entry) this.#drop(oldest, one);
    }
    this.#wind();
    return entry;
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  #wind(): void {
    const [first] = this.#entries.values();
    if (!first || this.#expiry.pending) return;
    this.#setup.kernel.wheel.start(this.#expiry, Math.max(1, first.dueAt - performance.now()));
  }

  #expire(): void {
    const now = performance.now();
    for (const [key, entry] of this.#entries) {
      if (entry.dueAt > now) break;
      this.#drop(key, entry);
      wake(entry);
    }
    this.#wind();
  }
}

function wake(entry: Entry): void {
  const { waiting } = entry;
  entry.waiting = [];
  for (const resolve of waiting) resolve();
}
