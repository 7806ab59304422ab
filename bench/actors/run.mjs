#!/usr/bin/env node
/**
 * Actors on one processor: Hive's kernel, nact alone (on which it stands) and the BEAM with one scheduler, side by side: each
 * in a process of its own, one after the other, in several rounds; shown are the medians per second of processor time, and how far rounds are
 * from them.
 *
 *     npm run build && npm --prefix bench install
 *     npm --prefix bench run actors -- [--ms 1000] [--lives 100000] [--rounds 3] [--quick] [--json]
 *
 * Messages are numbered and calls answered with what was asked: a message that is lost, doubled or overtaken ends the run. One
 * that is short (`--quick`) says nothing about speed, only that everything still works.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { argumentsOf } from '../../scripts/arguments.mjs';

const { values } = argumentsOf({
  ms: { type: 'string' },
  lives: { type: 'string' },
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});
const usual = values.quick ? { ms: '50', lives: '2000', rounds: '1' } : { ms: '1000', lives: '100000', rounds: '3' };
const { ms, lives, rounds } = { ...usual, ...values };

/** What is measured, and whether it is better to have less of it. */
const measures = {
  one: 'letters/s to one actor',
  many: 'letters/s to 10,000 actors, one each in turn',
  children: 'letters/s to a parent of 10,000 children',
  asks: 'calls/s, one at a time',
  asksTogether: 'calls/s, 100 at a time',
  spawns: 'actors made/s',
  bytes: 'bytes of an idle actor',
};
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const contestants = {
  Hive: [process.execPath, '--expose-gc', here('hive.mjs')],
  'nact alone': [process.execPath, '--expose-gc', here('nact.mjs')],
  BEAM: ['escript', here('beam.escript')],
};

/** Runs a contestant once. Undefined if its program is not installed. */
async function run([command, ...args]) {
  const child = spawn(command, [...args, ms, lives], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}`);
    return JSON.parse(said);
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

const results = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
for (let round = 0; round < Number(rounds); round += 1) {
  for (const [name, command] of Object.entries(contestants)) {
    const result = await run(command);
    if (result) results[name].push(result);
    else if (round === 0) console.error(`${name} is left out: ${command[0]} is not installed.`);
  }
}

const sorted = (name, measure) => results[name].map((round) => round[measure]).toSorted((a, b) => a - b);
const median = (numbers) => Math.round(numbers[Math.floor(numbers.length / 2)]);
const names = Object.keys(results).filter((name) => results[name].length > 0);
if (values.json) {
  console.log(JSON.stringify({ ms: Number(ms), lives: Number(lives), results }));
} else {
  console.log(`| | ${names.join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(names.length)}`);
  for (const [measure, title] of Object.entries(measures)) {
    const cells = names.map((name) => {
      const numbers = sorted(name, measure);
      const spread = Math.round(((numbers.at(-1) - numbers[0]) / 2 / median(numbers)) * 100);
      return `${median(numbers).toLocaleString('en')} ±${spread}%`;
    });
    console.log(`| ${title} | ${cells.join(' | ')} |`);
  }
}
