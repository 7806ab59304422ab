/**
 * `npm run fuzz -- --minutes 10 --seed 7`: attacks two nodes for that long, at every port, and prints figures. A failure prints
 * the seed and the shortest way to it that was found. Needs `npm run build` before.
 */
import { parseArgs } from 'node:util';
import { type FuzzReport, fuzz } from './fuzz.ts';
import { Broken } from './invariants.ts';
import { type TargetName, targetNames } from './targets/all.ts';

const usage = `Usage: npm run fuzz -- [options]
  --minutes N     how long (1)
  --seed TEXT     what determines everything that is sent (1)
  --targets A,B   only these of ${targetNames.join(', ')}
  --sockets NAME  HIVE_SOCKETS of the nodes
  --node PATH     the program of Node that runs them
  --slice N       begin with this slice
  --slices N      so many slices, instead of minutes`;

const options = {
  minutes: { type: 'string', default: '1' },
  seed: { type: 'string', default: '1' },
  targets: { type: 'string', default: targetNames.join(',') },
  sockets: { type: 'string' },
  node: { type: 'string' },
  slice: { type: 'string', default: '0' },
  slices: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Conversations with each target between two looks at the invariants. */
const sliceSize = 20;
const shortenMs = 180_000;

function show({ tallies, spoiltAnswers, peakRssMb, heapMb }: FuzzReport): void {
  const rows = [...tallies].map(([target, tally]) => {
    const { cases, connections, messages, ended } = tally;
    const answers = Object.fromEntries([...tally.answers].sort(([a], [b]) => a.localeCompare(b)));
    return [target, cases, connections, messages, Math.round(tally.bytes / 1024), ended, JSON.stringify(answers)];
  });
  const head = ['target', 'conversations', 'connections', 'messages', 'KiB', 'ended by us', 'answers'];
  for (const row of [head, ...rows])
    console.log(
      row
        .map((cell) => String(cell).padEnd(14))
        .join(' ')
        .trimEnd(),
    );
  console.log(`answers of back ends and Redis, and to nodes that dialled: ${JSON.stringify(spoiltAnswers)}`);
  console.log(`peak of resident memory, MB: ${peakRssMb.join(', ')}`);
  console.log(`heap after a collection, MB: ${heapMb.before.join(', ')} before, ${heapMb.after.join(', ')} after`);
  console.log('no crash, no fault, nothing left');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const targets = values.targets.split(',') as TargetName[];
  const unknown = targets.find((target) => !targetNames.includes(target));
  if (unknown !== undefined) throw new Error(`There is no target ${unknown}.`);
  const firstSlice = Number(values.slice);
  const end = performance.now() + Number(values.minutes) * 60_000;
  const goesOn =
    values.slices === undefined
      ? () => performance.now() < end
      : (slice: number) => slice < firstSlice + Number(values.slices);
  const { seed, sockets, node } = values;
  const stage = { ...(sockets === undefined ? {} : { sockets }), ...(node === undefined ? {} : { node }) };
  show(await fuzz({ seed, targets, sliceSize, firstSlice, goesOn, say: console.log, shortenMs, ...stage }));
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  if (!(error instanceof Broken)) console.error(`\n${usage}`);
  process.exitCode = 1;
});
