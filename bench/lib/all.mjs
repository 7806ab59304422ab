/** One call of the command: scenarios, one after the other, and the report. */

import { describeMachine, versions } from '../report/machine.mjs';
import { writeResults } from '../report/results.mjs';
import { load, save } from '../report/store.mjs';
import { print } from '../report/table.mjs';
import { scenarios } from '../scenarios/all.mjs';
import { contestants } from './contestants.mjs';
import { pinGenerator } from './cpu.mjs';
import { Selection } from './selection.mjs';
import { runScenario } from './suite.mjs';

/** @param plan `{ names, options, out: directory of the report, saves, measures }` */
export async function runAll({ names, options, out, saves, measures }) {
  const selection = new Selection(names, scenarios, contestants, options.quick);
  if (saves && selection.isPartial) throw new Error('only whole scenarios are saved: name no contestants');
  const stored = load(out);
  if (measures) {
    pinGenerator();
    for (const scenario of selection.scenarios) {
      const results = await runScenario(scenario, selection.entries(scenario), options);
      if (Object.keys(results).length === 0) continue;
      if (options.quick)
        console.log(`${scenario.name}: ${Object.keys(results).join(', ')}: complete, once and in order`);
      else print(scenario, results);
      if (saves) {
        stored[scenario.name] = record(results, options);
        save(out, stored);
      }
    }
  }
  if (!saves && measures) return;
  writeResults(out, scenarios, stored);
  console.log(`\nwritten: ${out}/RESULTS.md`.replace('//', '/'));
}

function record(results, { runs, seconds }) {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: versions(),
    options: { runs, seconds },
    results,
  };
}
