/**
 * Replays recordings against running nodes, as tests: each step's outcome must be the recorded one or the one declared in
 * `test/fixtures/golden/differences`. With `GOLDEN=write` in the environment, what differs is declared instead; why it does
 * remains to be written by hand.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chooseSockets } from '../../../src/web/sockets/choice.ts';
import { withoutWording } from './outcomes.ts';
import { type Difference, differencesFile, differencesOf, type Scenario, scenariosOf } from './recordings.ts';
import { type Outcomes, Run, recordedOutcomes } from './run.ts';
import { Stage, type StageOptions } from './stage.ts';

const isWriting = process.env.GOLDEN === 'write';
const { name: library } = chooseSockets();
/** Of the official build there are many; the newest are alike. */
const variant = library === '20.30' ? undefined : library === 'node' ? 'node' : '20.57';
if (isWriting && variant) throw new Error('differences are declared on the sockets 20.30; those of other ones by hand');

export interface Replay {
  readonly title: string;
  readonly recording: string;
  /** Numbers of the scenarios in the recording, from 1; all by default. */
  readonly scenarios?: readonly number[];
  /** How many at a time; one by default. */
  readonly concurrency?: number;
  readonly skip?: string | false;
  readonly stage?: StageOptions;
  readonly afterwards?: (stage: Stage) => unknown;
}

/** Replays a recording, or some of its scenarios, on a stage of their own. */
export function replay(options: Replay): void {
  const { title, recording, scenarios: numbers, concurrency = 1, skip = false } = options;
  describe(title, { concurrency, skip }, () => {
    let stage: Stage | undefined;
    before(async () => {
      stage = await Stage.start(options.stage);
    });
    after(async () => {
      if (stage) await options.afterwards?.(stage);
      await stage?.stop();
    });
    for (const [index, scenario] of scenariosOf(recording).entries()) {
      if (numbers && !numbers.includes(index + 1)) continue;
      test(`${scenario.id} ${scenario.title}`, () => check(recording, scenario, stage!));
    }
  });
}

async function check(recording: string, scenario: Scenario, stage: Stage): Promise<void> {
  const declared = differencesOf(recording)[scenario.id];
  const recorded = recordedOutcomes(scenario);
  const expected = withDifference(recorded, (variant && declared?.[variant]) ?? declared?.steps);
  const actual = await new Run(scenario, stage, expected).outcomes();
  if (isWriting) write(recording, scenario, recorded, actual);
  else assert.deepEqual(actual.map(comparable), expected.map(comparable));
}

/** What is expected of us: the recorded outcomes but for the declared ones. */
export function withDifference(recorded: Outcomes, declared: Difference['steps'] = {}): Outcomes {
  const end = recorded.length - 1;
  return recorded.map((outcome, index) => declared[index === end ? 'end' : index] ?? outcome);
}

export function comparable(outcome: string | undefined): string | undefined {
  return outcome === undefined ? undefined : withoutWording(outcome);
}

function write(recording: string, { id }: Scenario, recorded: Outcomes, actual: Outcomes): void {
  const file = differencesFile(recording);
  mkdirSync(dirname(file), { recursive: true });
  const all: Record<string, Difference> = { ...differencesOf(recording) };
  const end = recorded.length - 1;
  const steps: Record<string, string> = {};
  for (const [index, outcome] of actual.entries()) {
    if (outcome === undefined || comparable(outcome) === comparable(recorded[index])) continue;
    steps[index === end ? 'end' : index] = comparable(outcome) ?? '';
  }
  const { quirks = [], ours = '', ...variants } = all[id] ?? {};
  if (Object.keys(steps).length > 0) all[id] = { quirks, ours, ...variants, steps };
  else delete all[id];
  const ordered = Object.fromEntries(Object.entries(all).sort(([one], [two]) => (one < two ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(ordered, null, 2)}\n`);
}
