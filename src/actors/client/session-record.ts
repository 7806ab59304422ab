/** The contents of a durable session's record: what somebody needs who goes on with it. Keys are short, as there are many records. */
import type { HookDescriptors } from '../../plugins/plugin-set.ts';
import type { State } from '../../plugins/types.ts';
import type { LogRecord } from '../../sessions/durable/dead-journal.ts';
import type { PastRecord } from '../../sessions/durable/past-life.ts';
import type { CloseReason } from '../../web/client/client-handle.ts';

/** A change that a back end has made to the hooks of a client. */
export type HookChange = { readonly add: HookDescriptors } | { readonly remove: readonly string[] };

export interface SessionRecord {
  /** Namespace. */
  readonly n: string;
  /** When it began, ms since 1970. */
  readonly c: number;
  /** State, unless its manager keeps it where others find it. */
  readonly s?: State;
  /** Whose session it is, if the state is not here. */
  readonly k?: string | undefined;
  /** Changes of hooks, oldest first. */
  readonly h?: readonly HookChange[];
  /** If its client may return: what it was sent, and in which channels it is; and in whose journal that is. */
  readonly r?: (LogRecord & { readonly owner: string }) | undefined;
  /** The same of nodes before that one that are gone, oldest first, as far as its client may not have all of it. */
  readonly x?: readonly PastRecord[] | undefined;
  /** The channels that it is subscribed to. */
  readonly m?: readonly string[] | undefined;
  /** When it lost its connection, ms since 1970. */
  readonly u?: number | undefined;
  /** Why. */
  readonly w?: CloseReason | undefined;
  /** Its departure has begun: epoch and number of that event, and why it departs. */
  readonly d?: { readonly p: number; readonly e: number; readonly r: string };
}

/** A session of a node that is gone, whose client may come back. */
export interface Adopted {
  readonly record: SessionRecord;
  /** Its lives until now, oldest first. */
  readonly past: readonly PastRecord[];
  /** Name of the node that is gone. */
  readonly from: string;
  readonly epoch: number;
  /** How long it still waits for its client, ms. */
  readonly leftMs: number;
}

/** What this program has written, as a record. What is missing was not known to the version that wrote it. */
export function asSessionRecord(contents: unknown): SessionRecord {
  const { n = '/', c = Date.now(), s = {}, k, h = [], r, x, m, u, w, d } = Object(contents) as Partial<SessionRecord>;
  return { n, c, s, k, h, r, x, m, u, w, ...(d && { d }) };
}
