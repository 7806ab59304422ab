/** The supervision tree drawn as text, one actor per line. */
import { printableLine } from '../../observe/printable.ts';
import type { TreeNode } from '../../supervisors/tree.ts';

/** Ends with a line feed. */
export function treeText(top: TreeNode): string {
  const lines: string[] = [];
  draw(top, '', '', lines);
  return `${lines.join('\n')}\n`;
}

function draw(node: TreeNode, head: string, indent: string, lines: string[]): void {
  lines.push(head + describe(node));
  const { children = [], count = 0 } = node;
  const hidden = node.children ? count - children.length : 0;
  for (const [i, child] of children.entries()) {
    const last = i === children.length - 1 && hidden === 0;
    draw(child, `${indent}${last ? '└─ ' : '├─ '}`, `${indent}${last ? '   ' : '│  '}`, lines);
  }
  if (hidden > 0) lines.push(`${indent}└─ … ${hidden} more`);
}

function describe({
  id,
  pid,
  status,
  strategy,
  intensity,
  restarts,
  ageMs,
  mailbox,
  lastExit,
  count,
  partitions,
}: TreeNode): string {
  const parts = [`${id} ${pid ?? ''}`.trimEnd(), status];
  if (ageMs !== undefined) parts.push(`${Math.floor(ageMs / 1000)} s`);
  const where = partitions === undefined ? '' : ` in ${partitions} partitions`;
  if (strategy !== undefined) parts.push(`${strategy} of ${count ?? 0}${where}`);
  if (intensity) parts.push(`${intensity.used} of ${intensity.allowed} restarts in ${intensity.periodMs / 1000} s`);
  if (mailbox && mailbox.peak > 0) parts.push(`mailbox ${mailbox.length}, at most ${mailbox.peak}`);
  if (restarts > 0) parts.push(`restarted ${restarts}x`);
  if (lastExit) parts.push(`last exit: ${lastExit.reason.split('\n')[0]}`);
  // Ids and reasons may come from clients.
  return printableLine(parts.join(' · '));
}
