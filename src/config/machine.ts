/** What a configuration asks of the machine that it is on. */
import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { openFilesLimit, reserveOf } from '../observe/open-files.ts';
import type { Sections } from './types.ts';

/** What a node has open before the first client comes: logs, listening sockets, what Node itself needs. A good 30 were counted. */
const ownFiles = 40;

/** Why `hive.max_client_slots` is too much for the open files that the process may have; undefined if it is not. */
export function lackOfFiles({ hive, connectors }: Sections, limit = openFilesLimit()): string | undefined {
  if (limit === undefined) return undefined;
  const workers = Object.values(connectors.pools).reduce((sum, { size, overflow }) => sum + size + overflow, 0);
  const others = ownFiles + workers + 2 * reserveOf(limit);
  const needed = hive.max_client_slots + others;
  if (needed <= limit) return undefined;
  const room = Math.max(0, limit - others);
  return (
    `needs ${needed} open files, with ${others} for pools, logs and a reserve, and this process may have ${limit} (ulimit -n): ` +
    `more than ${room} clients will be refused`
  );
}

/**
 * Why the folder of a configuration should not be trusted; undefined if there is no reason. Plugins and the socket library are
 * packages that are looked for from there on, and files in it.
 */
export function openFolder(directory: string): string | undefined {
  // Elsewhere the bits of a mode mean nothing.
  if (process.getuid === undefined) return undefined;
  const folder = resolve(directory);
  const othersWrite = 0o002;
  if ((statSync(folder).mode & othersWrite) === 0 || isReadOnly(folder)) return undefined;
  return `every user of this machine may write into its folder, and packages that are put there are run by the node: chmod o-w ${folder}`;
}

/** Mounted so, as configurations of Kubernetes are, whatever their mode says: what all may write, this process may, too. */
function isReadOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch {
    return true;
  }
}
