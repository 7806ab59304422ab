/** `npm run soak -- --minutes 10 --seed 7`: simulations with one seed after the other, until one fails or the time is over. */
import { parseArgs } from 'node:util';
import { report, simulate } from './simulation.ts';

const usage = `Usage: npm run soak -- [options]
  --seed N      the first seed (a random one)
  --runs N      so many, instead of minutes
  --minutes N   how long (1)
  --nodes N     of how many nodes, up to three (1, 2 and 3 in turn)
  --durable     with sessions that outlive their nodes, only (in every second run of one or two nodes)
  --wild        everything may happen to those, also to several nodes: some such runs fail
  --trace       print everything that has happened in a run that fails`;

const options = {
  seed: { type: 'string' },
  runs: { type: 'string' },
  minutes: { type: 'string', default: '1' },
  nodes: { type: 'string' },
  durable: { type: 'boolean', default: false },
  wild: { type: 'boolean', default: false },
  trace: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

function numberOf(name: string, text: string): number {
  const number = Number(text);
  if (text === '' || !Number.isFinite(number) || number < 0)
    throw new Error(`--${name} is '${text}', which is no number.`);
  return number;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(usage);
  const first = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : numberOf('seed', values.seed);
  const runs = values.runs === undefined ? Number.POSITIVE_INFINITY : numberOf('runs', values.runs);
  const end = performance.now() + numberOf('minutes', values.minutes) * 60_000;
  const sums: Record<string, number> = {};
  let seed = first;
  for (; seed < first + runs && (values.runs !== undefined || performance.now() < end); seed += 1) {
    const nodes = values.nodes === undefined ? 1 + (seed % 3) : numberOf('nodes', values.nodes);
    const isDurable = values.durable || (values.runs === undefined && seed % 2 === 0 && nodes < 3);
    const outcome = await simulate(seed, nodes, {}, isDurable, values.wild);
    if (outcome.mistake !== undefined) {
      const lines = values.trace ? Number.POSITIVE_INFINITY : 40;
      throw new Error(report(seed, nodes, isDurable, outcome, { lines, isWild: values.wild }));
    }
    for (const [name, count] of Object.entries(outcome.figures)) sums[name] = (sums[name] ?? 0) + count;
  }
  console.log(`${seed - first} runs from seed ${first} on:`, sums);
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  },
);
