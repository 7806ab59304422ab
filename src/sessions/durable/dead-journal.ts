/** The journal of a node that is gone, as Redis has it: what its sessions were sent. */
import { Prefix, type PrefixEntry } from '../prefix.ts';
import type { RunCommands } from './commands.ts';
import type { OwnerKeys } from './keys.ts';
import { packetFromText } from './packet-text.ts';
import { firstField, tagField } from './redis-journal.ts';
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
  /** The first entry that is there: those between are trimmed. */
  readonly first: number;
  readonly end: number;
  readonly lasts: ReadonlyMap<string, number>;
  readonly scopes: ReadonlyMap<string, readonly PrefixEntry[]>;
  /** `c:<channel> <id>` of what was published. */
  readonly publications: ReadonlySet<string>;
}

const entriesAtOnce = 500;

export class DeadJournal {
  readonly #parts: DeadJournalParts;

  private constructor(parts: DeadJournalParts) {
    this.#parts = parts;
  }

  /** Undefined if that node had none. */
  static async read(run: RunCommands, keys: OwnerKeys): Promise<DeadJournal | undefined> {
    const [flat] = await run([['hgetall', keys.last]]);
    const fields = new Map(pairsOf(flat));
    const tag = fields.get(tagField);
    if (tag === undefined) return undefined;
    const unbroken = Number(fields.get(firstField));
    let first = unbroken;
    let end = unbroken - 1;
    const scopes = new Map<string, PrefixEntry[]>();
    const publications = new Set<string>();
    for (let from = '-'; ; ) {
      const [page] = await run([['xrange', keys.journal, from, '+', 'count', entriesAtOnce]]);
      const entries = page as [string, string[]][];
      for (const [id, values] of entries) {
        const number = Number(id.split('-')[0]);
        if (from === '-' && end < first) first = Math.max(first, number);
        end = number;
        const { s: scope = '', p: packet = '', i: publication = '' } = Object.fromEntries(pairsOf(values));
        if (publication !== '') publications.add(`${scope} ${publication}`);
        const known = scopes.get(scope);
        const entry = { number, packet: packetFromText(packet) };
        if (known) known.push(entry);
        else scopes.set(scope, [entry]);
      }
      if (entries.length < entriesAtOnce) break;
      from = `${end + 1}-0`;
    }
    const lasts = new Map(
      [...fields].filter(([field]) => !field.startsWith('#')).map(([field, n]) => [field, Number(n)]),
    );
    return new DeadJournal({ tag, unbroken, first, end, lasts, scopes, publications });
  }

  /** Whether that was published to the channel there. */
  has(channel: string, id: string): boolean {
    return this.#parts.publications.has(`c:${channel} ${id}`);
  }

  /** What a session was sent. */
  prefixOf(sid: string, { began, spans }: LogRecord): Prefix {
    const { tag, unbroken, first, end, lasts, scopes } = this.#parts;
    const entries: PrefixEntry[] = [];
    let completeFrom = Math.max(began, unbroken - 1);
    const collect = (scope: string, from: number, to: number): void => {
      for (const entry of scopes.get(scope) ?? []) {
        if (entry.number > from && entry.number <= to) entries.push(entry);
      }
      // What is trimmed may have been for it, unless nothing has come since.
      const last = Math.min(lasts.get(scope) ?? 0, to);
      const trimmed = Math.min(first - 1, last);
      if (trimmed > from) completeFrom = Math.max(completeFrom, trimmed);
    };
    collect(`s:${sid}`, began, end);
    for (const [channel, from, last] of spans) collect(`c:${channel}`, from, last ?? end);
    entries.sort((one, other) => one.number - other.number);
    return new Prefix({ tag, began, completeFrom, end, entries });
  }
}
