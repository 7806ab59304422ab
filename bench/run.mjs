#!/usr/bin/env node
/**
 * Measures Hive and what it is compared with, side by side, per second of processor time.
 *
 *     npm run bench                               everything
 *     npm run bench -- echo hive socketio-uws     these scenarios, these contestants
 */
import { parseArgs } from 'node:util';
import { contestants } from './lib/contestants.mjs';
import { pinGenerator } from './lib/cpu.mjs';
import { Measurement } from './lib/measurement.mjs';
import { percent, readable, summary } from './lib/statistics.mjs';
import { scenarios } from './scenarios/all.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    warmup: { type: 'string', default: '1.5' },
    prof: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});

const { chosen, wanted } = choose(positionals);
pinGenerator();
for (const scenario of chosen) {
  const results = await measure(
    scenario,
    scenario.contestants.filter((entry) => wanted(entry)),
  );
  print(scenario, results);
}
process.exit(0);

/** Scenarios by name or letter, contestants by name, with or without a variant; nothing means all. */
function choose(names) {
  const chosen = scenarios.filter(({ name, letter }) => names.some((each) => each === letter || name.startsWith(each)));
  const isScenario = (name) => scenarios.some((each) => each.letter === name || each.name.startsWith(name));
  const entries = names.filter((name) => !isScenario(name));
  for (const name of entries) {
    if (!(name.split(':')[0] in contestants)) {
      const known = [...scenarios.map((each) => each.name), ...Object.keys(contestants)].join(', ');
      console.error(`There is neither a scenario nor a contestant ${name}; there are ${known}.`);
      process.exit(1);
    }
  }
  const wanted = (entry) =>
    entry.split(':')[0] in contestants &&
    (entries.length === 0 || entries.includes(entry) || entries.includes(entry.split(':')[0]));
  return { chosen: chosen.length > 0 ? chosen : scenarios, wanted };
}

/** The contestants take turns, so that what disturbs the machine for a while does not hit one alone. */
async function measure(scenario, entries) {
  const results = new Map(entries.map((entry) => [entry, []]));
  for (let run = 1; run <= Number(options.runs); run += 1) {
    for (const entry of entries) {
      const measurement = new Measurement({
        scenario: scenario.name,
        entry,
        run,
        seconds: Number(options.seconds),
        warmup: Number(options.warmup),
        profileDir: options.prof,
      });
      try {
        results.get(entry).push(await scenario.run(measurement));
      } catch (error) {
        throw new Error(`${scenario.name} ${entry}: ${error.message}`, { cause: error });
      } finally {
        await measurement.stop();
      }
    }
  }
  return results;
}

function print(scenario, results) {
  console.log(`\n${scenario.letter}. ${scenario.title}: ${scenario.unit}`);
  for (const [entry, runs] of results) {
    const figures = runs.map((run) => run.perCpuSecond ?? run.bytes);
    const { median, spread } = summary(figures);
    const last = runs.at(-1);
    console.log(
      `${entry.padEnd(16)} ${readable(median).padStart(10)}  ±${percent(spread / 2)}` +
        (last.serverShare ? `  server ${percent(last.serverShare)} generator ${percent(last.generatorShare)}` : '') +
        (last.latencyMs ? ` latency ${readable(last.latencyMs)} ms` : '') +
        (last.heapBytes ? ` heap ${readable(last.heapBytes)}` : ''),
    );
  }
}
