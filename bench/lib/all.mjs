/** One call of the command: scenarios, one after the other, and the report. */

import { describeMachine, versions } from '../report/machine.mjs';
import { writeResults } from '../report/results.mjs';
import { load, save } from '../report/store.mjs';
import { print, sentence, targetsOf } from '../report/table.mjs';
import { scenarios } from '../scenarios/all.mjs';
import { contestants } from './contestants.mjs';
import { pinGenerator } from './cpu.mjs';
import { Selection } from './selection.mjs';
import { exactPercent } from './statistics.mjs';
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
      if (options.quick) confirm(scenario, results);
      else print(scenario, results);
      if (saves) {
        stored[scenario.name] = record(scenario, results, options);
        save(out, stored);
      }
    }
  }
  if (!saves && measures) return;
  writeResults(out, scenarios, stored);
  console.log(`\nwritten: ${out}/RESULTS.md`.replace('//', '/'));
}

/** Of a run that says nothing about speed. */
function confirm(scenario, results) {
  const missed = targetsOf(scenario, results).find(({ always, reached }) => always && !reached);
  if (missed) throw new Error(`${scenario.name}: ${sentence(scenario, missed)}`);
  // Where nothing is counted, the first message that is lost has ended the run.
  const share = (entry) => results[entry][0].delivered ?? 1;
  const entries = Object.keys(results);
  const complete = entries.filter((entry) => share(entry) === 1);
  if (complete.length > 0) console.log(`${scenario.name}: ${complete.join(', ')}: complete, once and in order`);
  for (const entry of entries)
    if (share(entry) < 1) console.log(`${scenario.name}: ${entry}: ${exactPercent(share(entry))} once and in order`);
}

function record(scenario, results, { seconds }) {
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: describeMachine(),
    versions: versions(),
    options: {
      runs: Object.values(results)[0].length,
      seconds: scenario.wallSeconds ?? (scenario.longer ?? 1) * seconds,
    },
    results,
  };
}
