/** The journal of a node that is gone, as Redis has it: what its sessions were sent. */
import { Prefix, type PrefixEntry } from '../prefix.ts';
import { batchOf } from './batch-text.ts';
import type { RunCommands } from './commands.ts';
import type { OwnerKeys } from './keys.ts';
import { batchField, firstField, tagField, trimmedField } from './redis-journal.ts';
import { pairsOf } from './replies.ts';

/** A time that a session was in a channel: `[channel, began, number of its last entry there or null]`. */
export type SpanRecord = readonly [channel: string, began: number, last: number | null];

/** What of a session's record says where its client may go on. */
export interface LogRecord {
  readonly began: number;
  readonly spans: readonly SpanRecord[];
}

interface DeadJournalParts {
  /** Of the positions. */
  readonly tag: string;
  /** Nothing is known of what was before that number. */
  readonly unbroken: number;
  /** The last entry that is not there any more. */
  readonly trimmed: number;
  readonly end: number;
  /** Of scopes whose entries were trimmed: the number of the last one of those, at least. */
  readonly lasts: ReadonlyMap<string, number>;
  readonly scopes: ReadonlyMap<string, readonly PrefixEntry[]>;
  /** `c:<channel> <id>` of what was published. */
  readonly publications: ReadonlySet<string>;
}

/** Read with one round trip. */
const batchesAtOnce = 200;

export class DeadJournal {
  readonly #parts: DeadJournalParts;

  private constructor(parts: DeadJournalParts) {
    this.#parts = parts;
  }

  /**
   * That of a node that has sent nothing yet is empty.
   * @param ownTag of the boot, with which its positions begin
   * @returns undefined if it has lost its beginning
   */
  static async read(run: RunCommands, keys: OwnerKeys, ownTag: string): Promise<DeadJournal | undefined> {
    const [flat] = await run([['hgetall', keys.last]]);
    const fields = new Map(pairsOf(flat));
    const tag = fields.size === 0 ? ownTag : fields.get(tagField);
    if (tag === undefined) return undefined;
    let unbroken = Number(fields.get(firstField) ?? 1);
    const trimmed = Number(fields.get(trimmedField) ?? unbroken - 1);
    let end = trimmed;
    const scopes = new Map<string, PrefixEntry[]>();
    const publications = new Set<string>();
    for (let from = '-'; ; ) {
      const [page] = await run([['xrange', keys.journal, from, '+', 'count', batchesAtOnce]]);
      const batches = page as [string, string[]][];
      for (const [, values] of batches) {
        const { previous, entries } = batchOf(new Map(pairsOf(values)).get(batchField) ?? '');
        const [first] = entries;
        if (!first) continue;
        // Redis has lost what is between.
        if (previous !== end) unbroken = first.number;
        for (const { number, scope, packet, id } of entries) {
          end = number;
          if (id !== '') publications.add(`${scope} ${id}`);
          const known = scopes.get(scope);
          if (known) known.push({ number, packet });
          else scopes.set(scope, [{ number, packet }]);
        }
      }
      if (batches.length < batchesAtOnce) break;
      from = `${end + 1}-0`;
    }
    const lasts = new Map(
      [...fields].filter(([field]) => !field.startsWith('#')).map(([field, n]) => [field, Number(n)]),
    );
    return new DeadJournal({ tag, unbroken, trimmed, end, lasts, scopes, publications });
  }

  /** Whether that was published to the channel there. */
  has(channel: string, id: string): boolean {
    return this.#parts.publications.has(`c:${channel} ${id}`);
  }

  /** What a session was sent. */
  prefixOf(sid: string, { began, spans }: LogRecord): Prefix {
    const { tag, unbroken, trimmed, end, lasts, scopes } = this.#parts;
    const entries: PrefixEntry[] = [];
    let completeFrom = Math.max(began, unbroken - 1);
    const collect = (scope: string, from: number, to: number, lastTrimmed: number): void => {
      for (const entry of scopes.get(scope) ?? []) {
        if (entry.number > from && entry.number <= to) entries.push(entry);
      }
      if (lastTrimmed > from) completeFrom = Math.max(completeFrom, lastTrimmed);
    };
    // Where entries are there, some before them may be trimmed.
    const lastTrimmedOf = (scope: string): number =>
      scopes.has(scope) ? trimmed : Math.min(lasts.get(scope) ?? 0, trimmed);
    collect(`s:${sid}`, began, end, lastTrimmedOf(`s:${sid}`));
    for (const [channel, from, last] of spans) {
      const scope = `c:${channel}`;
      // The last one before the session left is known by itself.
      if (last === null) collect(scope, from, end, lastTrimmedOf(scope));
      else collect(scope, from, last, Math.min(last, trimmed));
    }
    entries.sort((one, other) => one.number - other.number);
    return new Prefix({ tag, began, completeFrom, end, entries });
  }
}
