/** The measured figures as JSON next to the report, so that a scenario can be measured anew without the others. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileIn = (dir) => join(dir, 'results', 'results.json');

/** @returns scenario → `{ date, machine, versions, options, results }` */
export function load(dir) {
  return existsSync(fileIn(dir)) ? JSON.parse(readFileSync(fileIn(dir), 'utf8')) : {};
}

export function save(dir, stored) {
  mkdirSync(join(dir, 'results'), { recursive: true });
  writeFileSync(fileIn(dir), `${JSON.stringify(stored, rounded, 1)}\n`);
}

/** Nobody reads more than four digits. */
function rounded(_key, value) {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
