/** `hive check`: is this configuration usable? With `--probe`: are its back ends there? */
import type { Override } from '../config/overrides.ts';
import { formatProblem } from '../config/problem.ts';
import { describeReason } from '../kernel/types.ts';
import { printable } from '../observe/printable.ts';
import { probePools } from '../plugins/registry.ts';
import { loadOrExplain } from './config-file.ts';
import { print } from './operator/output.ts';

/** Resolves to the exit code: 0 if nothing is wrong, else 1. */
export async function check(file: string, overrides: readonly Override[], probe: boolean): Promise<number> {
  const loaded = await loadOrExplain(file, overrides);
  if (!loaded) return 1;
  for (const note of loaded.notes) console.error(printable(`note: ${formatProblem(note)}`));
  let unreachable = 0;
  for (const { pool, error } of probe ? await probePools(loaded.config, loaded.plugins) : []) {
    if (!error) await print(printable(`connectors.pools.${pool} is reachable\n`));
    else console.error(printable(`${error.code}: connectors.pools.${pool}: ${describeReason(error)}`));
    if (error) unreachable += 1;
  }
  if (unreachable > 0) return 1;
  await print(`${file} can be used.\n`);
  return 0;
}
