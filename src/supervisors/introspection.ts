/**
 * The live supervision tree as plain data, read without disturbing anybody: no message is sent, so a tree can be looked at
 * while its supervisors are busy or hang.
 */
import { Cell } from '../kernel/cell.ts';
import type { ChildInfo } from '../kernel/supervision.ts';
import type { Ref } from '../kernel/types.ts';
import { SupervisorBase } from './supervisor-base.ts';

export interface SupervisionNode {
  readonly id: string;
  readonly kind: 'supervisor' | 'worker';
  /** Null while it does not run. */
  readonly pid: string | null;
  /** That of the actor (`starting`, `running`, `waiting`, `stopping`), or `restarting`, or `stopped`. */
  readonly status: string;
  readonly strategy?: string;
  /** Restarts of children within the last `periodMs`: performed, and allowed. */
  readonly intensity?: { readonly used: number; readonly allowed: number; readonly periodMs: number };
  /** How often this child was restarted. */
  readonly restarts: number;
  readonly ageMs?: number;
  readonly mailbox?: { readonly length: number; readonly peak: number };
  readonly lastExit?: { readonly reason: string; readonly at: number };
  /** How many children a supervisor has; `children` may list fewer. */
  readonly count?: number;
  readonly children?: readonly SupervisionNode[];
}

export interface TreeOptions {
  /** Levels below the root that are listed. Default: all. */
  readonly depth?: number;
  /** Children listed of each supervisor. Default 100. */
  readonly limit?: number;
}

const defaultLimit = 100;

/** The tree under an actor of this node; undefined if that has ended. */
export function supervisionTree(root: Ref<never>, options: TreeOptions = {}): SupervisionNode | undefined {
  const { depth = Number.POSITIVE_INFINITY, limit = defaultLimit } = options;
  if (!(root instanceof Cell) || !root.alive) return undefined;
  const kind = root.actor instanceof SupervisorBase ? 'supervisor' : 'worker';
  return node({ id: root.label, ref: root, type: kind, restarts: 0, lastExit: undefined }, depth, limit);
}

function node(row: Omit<ChildInfo, 'restart'>, depth: number, limit: number): SupervisionNode {
  const { ref, type: kind, restarts } = row;
  const id = row.id ?? '';
  const lastExit = row.lastExit ? { lastExit: row.lastExit } : {};
  if (!(ref instanceof Cell) || !ref.alive) {
    return { id, kind, pid: null, status: ref === 'restarting' ? ref : 'stopped', restarts, ...lastExit };
  }
  const { status, mailbox } = ref;
  const actor: unknown = ref.actor;
  const seen = {
    id,
    kind,
    pid: ref.toString(),
    status,
    restarts,
    ageMs: Date.now() - ref.startedAt,
    mailbox: { length: mailbox.length, peak: mailbox.peak },
    ...lastExit,
  };
  if (!(actor instanceof SupervisorBase)) return seen;
  const { allowed, periodMs } = actor.restarts;
  const supervisor = {
    ...seen,
    strategy: actor.strategy,
    intensity: { used: actor.restarts.used(), allowed, periodMs },
    count: actor.size,
  };
  if (depth < 1) return supervisor;
  return { ...supervisor, children: actor.children(limit).map((child) => node(child, depth - 1, limit)) };
}
