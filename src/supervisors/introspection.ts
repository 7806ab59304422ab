/**
 * The live supervision tree as plain data, read without disturbing anybody: no message is sent, so a tree can be looked at
 * while its supervisors are busy or hang.
 */
import { Cell } from '../kernel/cell.ts';
import type { ChildInfo } from '../kernel/supervision.ts';
import type { AnyRef } from '../kernel/types.ts';
import { PartitionSupervisor } from './partition-supervisor.ts';
import { SupervisorBase } from './supervisor-base.ts';
import type { TreeNode, TreeOptions } from './tree.ts';

type Row = Omit<ChildInfo, 'restart'> & { readonly partition?: string };

const defaultLimit = 100;

/** The tree under an actor of this node; undefined if that has ended, or nothing is at that path. */
export function supervisionTree(root: AnyRef, options: TreeOptions = {}): TreeNode | undefined {
  if (!(root instanceof Cell) || !root.alive) return undefined;
  const type = root.actor instanceof SupervisorBase ? 'supervisor' : 'worker';
  let row: Row = { id: root.label, ref: root, type, restarts: 0, lastExit: undefined };
  const ids = (options.path ?? '').split('/').filter((id) => id !== '');
  if (ids[0] === root.label) ids.shift();
  for (const id of ids) {
    const child = supervisorAt(row)
      ?.children()
      .find((candidate) => candidate.id === id);
    if (!child) return undefined;
    row = child;
  }
  return node(row, options.depth ?? Number.POSITIVE_INFINITY, options);
}

function supervisorAt({ ref }: Row): SupervisorBase | undefined {
  if (!(ref instanceof Cell) || !ref.alive) return undefined;
  const actor: unknown = ref.actor;
  return actor instanceof SupervisorBase ? actor : undefined;
}

/** @param unasked how many children are listed if the options do not say */
function node(row: Row, depth: number, options: TreeOptions, unasked = defaultLimit): TreeNode {
  const { ref, type: kind, restarts } = row;
  const id = row.id ?? '';
  const more = {
    ...(row.lastExit ? { lastExit: row.lastExit } : {}),
    ...(row.partition === undefined ? {} : { partition: row.partition }),
  };
  if (!(ref instanceof Cell) || !ref.alive) {
    return { id, kind, pid: null, status: ref === 'restarting' ? ref : 'stopped', restarts, ...more };
  }
  const { status, mailbox } = ref;
  const seen = {
    id,
    kind,
    pid: ref.toString(),
    status,
    restarts,
    ageMs: ref.ageMs,
    mailbox: { length: mailbox.length, peak: mailbox.peak },
    ...more,
  };
  const actor = supervisorAt(row);
  if (!actor) return seen;
  const { allowed, periodMs } = actor.restarts;
  const supervisor = {
    ...seen,
    strategy: actor.strategy,
    intensity: { used: actor.restarts.used(), allowed, periodMs },
    count: actor.size,
  };
  if (options.flat && actor instanceof PartitionSupervisor) return flat(supervisor, actor, depth, options);
  if (depth < 1) return supervisor;
  const below = actor instanceof PartitionSupervisor ? Math.ceil(unasked / actor.size) : defaultLimit;
  const children = listed(actor, options, unasked).map((child) => node(child, depth - 1, options, below));
  return { ...supervisor, children };
}

/** A supervisor with the children of its partitions, and with partitions that do not run. */
function flat(seen: TreeNode, supervisor: PartitionSupervisor, depth: number, options: TreeOptions): TreeNode {
  const { limit = defaultLimit, sort } = options;
  const rows: Row[] = [];
  let count = 0;
  for (const row of supervisor.children()) {
    const partition = supervisorAt(row);
    count += partition ? partition.size : 1;
    const wanted = sort === undefined ? limit - rows.length : Number.POSITIVE_INFINITY;
    if (depth < 1 || wanted <= 0) continue;
    if (!partition) rows.push(row);
    else for (const child of partition.children(wanted)) rows.push({ ...child, partition: row.id ?? '' });
  }
  const whole = { ...seen, count, partitions: supervisor.size };
  if (depth < 1) return whole;
  if (sort !== undefined) rows.sort((a, b) => waiting(b) - waiting(a));
  return { ...whole, children: rows.slice(0, limit).map((child) => node(child, depth - 1, options)) };
}

function listed(supervisor: SupervisorBase, options: TreeOptions, unasked: number): ChildInfo[] {
  const { limit = unasked, sort } = options;
  if (sort === undefined) return supervisor.children(limit);
  return supervisor
    .children()
    .sort((a, b) => waiting(b) - waiting(a))
    .slice(0, limit);
}

/** Messages that wait for a child. */
function waiting({ ref }: Row): number {
  return ref instanceof Cell ? ref.mailbox.length : 0;
}
