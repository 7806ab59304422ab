/**
 * The journal of a node that is gone, as Redis has it: what its sessions were sent, and what others had kept for it. It is read once, and
 * shared by all sessions that this node has from there.
 */
import { keptFrom, type PrefixEntry } from '../prefix.ts';
import { batchOf } from './batch-text.ts';
import type { RunCommands } from './commands.ts';
import type { OwnerKeys } from './keys.ts';
import { batchField, bootField, busyPrefix, firstField, tagField, trimmedField } from './redis-journal.ts';
import { pairsOf } from './replies.ts';

/** A time that a session was in a channel: `[channel, began, number of its last entry there or null]`. */
export type SpanRecord = readonly [channel: string, began: number, last: number | null];

/** What of a session's record says where its client may go on. */
export interface LogRecord {
  readonly began: number;
  readonly spans: readonly SpanRecord[];
}

interface JournalParts {
  /** Of the positions. */
  readonly tag: string;
  /** The node that is gone, `id@host#creation`. */
  readonly boot: string;
  /** Nothing is known of what was before that number. */
  readonly unbroken: number;
  /** The last entry that is not there any more. */
  readonly trimmed: number;
  readonly end: number;
  /** Of scopes whose entries were trimmed: the number of the last one of those, at least. */
  readonly lasts: ReadonlyMap<string, number>;
  readonly scopes: Map<string, readonly PrefixEntry[]>;
  /** Fields of sessions that had something to do. */
  readonly busy: ReadonlySet<string>;
  /** Numbers of what was published, by `c:<channel> <id>`. */
  readonly publications: Map<string, number>;
}

/** A publication that others had kept: its first number, and its packets with their own. */
interface KeptEntry {
  readonly id: string;
  readonly number: number;
  readonly entries: readonly PrefixEntry[];
}

/** The field that says that not all is there that others had kept. */
export const lostField = '#lost';
/** What the fields of publications begin with whose packets are not known: clients would have had to do something for them. */
export const actionsField = 'a:';

/** Read with one round trip. */
const batchesAtOnce = 200;

export class DeadJournal {
  readonly #parts: JournalParts;
  /** By channel and id of the publication, in order. */
  readonly #kept = new Map<string, Map<string, KeptEntry>>();
  /** Channels of publications that are not among these. */
  readonly #lacking = new Set<string>();
  /** Somebody had kept something, and it is not known what. */
  isIncomplete = false;
  /** How many numbers are given to those. */
  keptCount = 0;
  #isForgotten = false;

  private constructor(parts: JournalParts) {
    this.#parts = parts;
  }

  /** Undefined if it is lost. That of a node that has sent nothing yet is empty. */
  static async read(run: RunCommands, keys: OwnerKeys): Promise<DeadJournal | undefined> {
    const [flat] = await run([['hgetall', keys.last]]);
    const fields = new Map(pairsOf(flat));
    const tag = fields.get(tagField);
    if (tag === undefined) return undefined;
    let unbroken = Number(fields.get(firstField));
    const trimmed = Number(fields.get(trimmedField) ?? unbroken - 1);
    let end = trimmed;
    const scopes = new Map<string, PrefixEntry[]>();
    const publications = new Map<string, number>();
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
          if (id !== '') publications.set(`${scope} ${id}`, number);
          const known = scopes.get(scope);
          if (known) known.push({ number, packet });
          else scopes.set(scope, [{ number, packet }]);
        }
      }
      if (batches.length < batchesAtOnce) break;
      from = `${end + 1}-0`;
    }
    const names = [...fields.keys()];
    const busy = new Set(names.filter((field) => field.startsWith(busyPrefix)));
    const scoped = names.filter((field) => !field.startsWith('#') && !busy.has(field));
    const lasts = new Map(scoped.map((field) => [field, Number(fields.get(field))]));
    const boot = fields.get(bootField) ?? '';
    const journal = new DeadJournal({ tag, boot, unbroken, trimmed, end, lasts, scopes, busy, publications });
    const [kept] = await run([['hgetall', keys.kept]]);
    journal.addKept(pairsOf(kept));
    return journal;
  }

  get tag(): string {
    return this.#parts.tag;
  }

  get boot(): string {
    return this.#parts.boot;
  }

  get end(): number {
    return this.#parts.end;
  }

  /** Whether a session had something to do that was confirmed already. */
  wasBusy(sid: string): boolean {
    return this.#parts.busy.has(busyPrefix + sid);
  }

  /** Whether that was published to the channel there. */
  has(channel: string, id: string): boolean {
    return this.#parts.publications.has(`c:${channel} ${id}`);
  }

  /** Whether a session was sent it there. */
  wasSent({ spans }: LogRecord, channel: string, id: string): boolean {
    const number = this.#parts.publications.get(`c:${channel} ${id}`);
    if (number === undefined) return false;
    return spans.some(([in_, from, last]) => in_ === channel && number > from && number <= (last ?? number));
  }

  /** The number of the last entry that concerns a session, or may; 0 if there was none. */
  lastOf(sid: string, { began, spans }: LogRecord): number {
    let last = Math.max(this.#lastIn(`s:${sid}`), this.#parts.unbroken - 1);
    for (const [channel, from, to] of spans) {
      const number = to ?? this.#lastIn(`c:${channel}`);
      if (number > from) last = Math.max(last, number);
    }
    return last > began ? last : 0;
  }

  #lastIn(scope: string): number {
    const { lasts, scopes } = this.#parts;
    return scopes.get(scope)?.at(-1)?.number ?? lasts.get(scope) ?? 0;
  }

  /** What a session was sent behind that number, in order; undefined if not all of that is there. */
  since(sid: string, { began, spans }: LogRecord, number: number): PrefixEntry[] | undefined {
    const { unbroken, trimmed, end } = this.#parts;
    const received = Math.max(began, number);
    if (received < unbroken - 1 || this.#isForgotten) return undefined;
    const entries: PrefixEntry[] = [];
    if (!this.#collect(`s:${sid}`, received, end, entries)) return undefined;
    for (const [channel, joined, last] of spans) {
      const from = Math.max(received, joined);
      // The last one before the session left is known by itself.
      if (last !== null && Math.min(last, trimmed) > from) return undefined;
      if (!this.#collect(`c:${channel}`, from, last ?? end, entries)) return undefined;
    }
    return entries.sort((one, other) => one.number - other.number);
  }

  /** Returns false if some of it may be trimmed. */
  #collect(scope: string, from: number, to: number, entries: PrefixEntry[]): boolean {
    const { trimmed, lasts, scopes } = this.#parts;
    const known = scopes.get(scope);
    // Where entries are there, some before them may be trimmed.
    if (Math.min(known ? trimmed : (lasts.get(scope) ?? 0), trimmed, to) > from) return false;
    if (!known) return true;
    for (let at = firstAbove(known, from); at < known.length && known[at]!.number <= to; at += 1) {
      entries.push(known[at]!);
    }
    return true;
  }

  /** What others had kept, as Redis has it: `c:<channel> <id>` and `<number>|<batch>`. */
  addKept(fields: Iterable<readonly [string, string]>): void {
    this.#kept.clear();
    this.#lacking.clear();
    this.keptCount = 0;
    const kept = new Map<string, KeptEntry[]>();
    for (const [field, value] of fields) {
      if (field === '#') this.keptCount = Number(value);
      if (field === lostField) this.isIncomplete = true;
      if (field.startsWith('#')) continue;
      const space = field.lastIndexOf(' ');
      const channel = field.slice(2, space);
      if (field.startsWith(actionsField)) {
        if (!this.has(channel, field.slice(space + 1))) this.#lacking.add(channel);
        continue;
      }
      const bar = value.indexOf('|');
      const number = keptFrom + Number(value.slice(0, bar));
      const entries = batchOf(value.slice(bar + 1)).entries.map(({ packet }, at) => ({ number: number + at, packet }));
      const entry = { id: field.slice(space + 1), number, entries };
      const known = kept.get(channel);
      if (known) known.push(entry);
      else kept.set(channel, [entry]);
    }
    for (const [channel, entries] of kept) {
      entries.sort((one, other) => one.number - other.number);
      this.#kept.set(channel, new Map(entries.map((entry) => [entry.id, entry])));
    }
  }

  /** What others had kept that was published to these channels, in order. */
  keptIn(channels: readonly string[], isWanted: (channel: string, id: string) => boolean): PrefixEntry[] {
    const entries: PrefixEntry[] = [];
    for (const channel of channels) {
      for (const kept of this.#kept.get(channel)?.values() ?? []) {
        if (isWanted(channel, kept.id)) for (const entry of kept.entries) entries.push(entry);
      }
    }
    return entries.sort((one, other) => one.number - other.number);
  }

  /** Channels to which something was published that clients would have had to do something for, and is not there. */
  get lacking(): Iterable<string> {
    return this.#lacking;
  }

  /** The number of what somebody had kept; undefined if nobody had. */
  keptNumber(channel: string, id: string): number | undefined {
    return this.#kept.get(channel)?.get(id)?.number;
  }

  /** It is too old for anybody to return to it who has not seen the end of it. */
  forget(): void {
    this.#isForgotten = true;
    this.#parts.scopes.clear();
    this.#parts.publications.clear();
    this.#kept.clear();
  }
}

/** The index of the first entry with a number above that. */
export function firstAbove(entries: readonly PrefixEntry[], number: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.number > number) high = middle;
    else low = middle + 1;
  }
  return low;
}
