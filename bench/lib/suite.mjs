/** Runs scenarios. The contestants take turns, so that what disturbs the machine for a while does not hit one of them alone. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Measurement } from './measurement.mjs';

/** @returns entry → figures of its runs */
export async function runScenario(scenario, entries, options) {
  const able = entries.filter((entry) => hasPrograms(scenario, entry));
  const results = Object.fromEntries(able.map((entry) => [entry, []]));
  const runs = Math.min(options.runs, scenario.mostRuns ?? options.runs);
  for (let run = 1; run <= runs; run += 1) {
    // There and back, so that nobody always comes after the same one.
    const turns = run % 2 === 1 ? able : able.toReversed();
    for (const entry of turns) results[entry].push(await runOnce(scenario, entry, run, options));
  }
  return results;
}

async function runOnce(scenario, entry, run, options) {
  const { name, longer = 1 } = scenario;
  const [seconds, warmup] = [longer * options.seconds, longer * options.warmup];
  const measurement = new Measurement({ ...options, seconds, warmup, scenario: name, entry, run });
  try {
    return await scenario.run(measurement);
  } catch (error) {
    throw new Error(`${scenario.name}, ${entry}, run ${run}: ${error.message}`, { cause: error });
  } finally {
    await measurement.stop();
  }
}

function hasPrograms(scenario, entry) {
  const missing = (scenario.needs?.(entry) ?? []).filter((program) => !isInstalled(program));
  if (missing.length === 0) return true;
  const text = `${scenario.name}, ${entry}: left out, ${missing.join(' and ')} is not installed`;
  if (process.env.CI === 'true') throw new Error(text);
  console.error(text);
  return false;
}

function isInstalled(program) {
  return (process.env.PATH ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
