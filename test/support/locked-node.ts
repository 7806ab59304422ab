/** The keys of nodes that the command line asks, and what it must never show. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import type { DefaultNode, Sections } from './default-node.ts';
import type { Finished } from './hive-process.ts';

export const keys = { api: 'the key of the api', monitor: 'the key of the monitor' };

export function locked(config: Sections): void {
  config.api!.hash = keys.api;
  config.monitor!.hash = keys.monitor;
}

export const configOf = (node: DefaultNode): string => join(node.directory, 'hive.json');

/** One line on stderr that says so, code 1, and no key anywhere. */
export function failed({ code, stdout, stderr }: Finished, reason: RegExp): void {
  assert.match(stderr, reason);
  assert.deepEqual([code, stdout], [1, '']);
  for (const key of [...Object.values(keys), 'a wrong key']) assert.ok(!stderr.includes(key), stderr);
}
