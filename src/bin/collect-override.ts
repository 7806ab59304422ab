/** The option `--set` of all commands that read a configuration. */
import { InvalidArgumentError } from 'commander';
import { type Override, optionOverride } from '../config/overrides.ts';

/** One more of them. */
export function collectOverride(setting: string, before: readonly Override[] = []): Override[] {
  const override = optionOverride(setting);
  if (!override) throw new InvalidArgumentError('It must be like hive.port=9000.');
  return [...before, override];
}
