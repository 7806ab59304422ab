#!/usr/bin/env node
/**
 * Measures Hive and what it is compared with, side by side, per second of processor time.
 *
 *     npm run bench                               everything, about an hour; writes bench/RESULTS.md
 *     npm run bench -- echo hive socketio-uws     these scenarios (names or letters), these contestants
 *     npm run bench -- echo --save                a scenario anew, into the results of the others
 *     npm run bench -- --quick                    everything for a moment, to see that it works
 *     npm run bench -- --report                   RESULTS.md anew from the stored figures
 *
 * `--runs`, `--seconds` and `--warmup` (processor time of the servers) say how long, `--prof FOLDER` takes profiles.
 */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argumentsOf } from '../scripts/arguments.mjs';

const options = {
  runs: { type: 'string' },
  /** Processor time of the servers, that is measured and that goes before. */
  seconds: { type: 'string' },
  warmup: { type: 'string' },
  /** Directory for profiles of the measured time. */
  prof: { type: 'string' },
  quick: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
  report: { type: 'boolean', default: false },
};
const { values, positionals } = argumentsOf(options, { allowPositionals: true });

const here = fileURLToPath(new URL('.', import.meta.url));
/** What answers slowly takes long to get warm: the compiler has seen little of it. */
const usual = values.quick ? { runs: 1, seconds: 0.05, warmup: 0.02 } : { runs: 5, seconds: 1, warmup: 2 };

function number(name) {
  const value = Number(values[name] ?? usual[name]);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0`);
  return value;
}

async function main() {
  if (process.platform !== 'linux')
    throw new Error('the processor time of processes is read from /proc: Linux is needed');
  if (!existsSync(join(here, 'node_modules', 'socket.io'))) throw new Error('first: npm --prefix bench install');
  if (!existsSync(join(here, '..', 'dist'))) throw new Error('first: npm run build');
  const options = {
    runs: number('runs'),
    seconds: number('seconds'),
    warmup: number('warmup'),
    quick: values.quick,
    profileDir: values.prof,
  };
  const { runAll } = await import('./lib/all.mjs');
  const out = values.quick ? mkdtempSync(join(tmpdir(), 'hive-bench-results-')) : here;
  const saves = values.quick || values.save || positionals.length === 0;
  await runAll({ names: positionals, options, out, saves, measures: !values.report });
}

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => process.exit(code));
}

main().then(
  () => process.exit(0),
  (error) => {
    if (error.cause) console.error(error.cause.stack);
    console.error(`bench: ${error.message}`);
    process.exit(1);
  },
);
