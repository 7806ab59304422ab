/** A fuzz run: slices of conversations with every port, and after each slice a look at whether all is well. */
import { converse, Tally } from './conversation.ts';
import { Broken, Invariants } from './invariants.ts';
import { shorten } from './shorten.ts';
import { Stage, type StageOptions } from './stage.ts';
import { type FuzzCase, makeCase, type TargetName, targetNames } from './targets/all.ts';

/** Conversations at a time. */
const concurrency = 60;

export interface FuzzOptions extends StageOptions {
  readonly seed: string;
  readonly targets?: readonly TargetName[];
  /** Conversations with each target per slice. */
  readonly sliceSize: number;
  readonly firstSlice?: number;
  /** Whether another slice comes. */
  readonly goesOn: (slice: number) => boolean;
  readonly say?: (text: string) => void;
  /** How long a shorter way to the same failure may be looked for, ms. */
  readonly shortenMs: number;
}

export interface FuzzReport {
  readonly tallies: ReadonlyMap<TargetName, Tally>;
  readonly spoiltAnswers: Readonly<Record<'http' | 'tcp' | 'redis' | 'dialled', number>>;
  readonly peakRssMb: readonly number[];
  readonly heapMb: { readonly before: readonly number[]; readonly after: readonly number[] };
}

type Tallies = Map<TargetName, Tally>;

function tallyOf(tallies: Tallies, target: TargetName): Tally {
  const tally = tallies.get(target) ?? new Tally();
  tallies.set(target, tally);
  return tally;
}

/** @throws Broken with the seed and the shortest way to the failure that was found */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, sliceSize, firstSlice = 0, say = () => {} } = options;
  const stage = await Stage.open(options);
  const targets = (options.targets ?? targetNames).filter((target) => target !== 'redis' || stage.hasRedis);
  const tallies: Tallies = new Map();
  const done: FuzzCase[] = [];
  let last: FuzzCase[] = [];
  let isEnd = false;
  let slice = firstSlice;
  try {
    const invariants = await Invariants.watch(stage);
    for (; options.goesOn(slice); slice += 1) {
      last = [];
      for (let n = 0; n < sliceSize; n += 1) {
        for (const target of targets) last.push(makeCase(seed, target, slice * sliceSize + n));
      }
      await attack(last, stage, tallies);
      await invariants.hold();
      done.push(...last);
      say(`slice ${slice}: ${done.length} conversations, ${stage.nodes.map(({ rssMb }) => rssMb).join(' and ')} MB`);
    }
    isEnd = true;
    const after = await invariants.leftNothing();
    invariants.end();
    const heapsOf = (levels: readonly { heapMb: number }[]) => levels.map(({ heapMb }) => Math.round(heapMb));
    return {
      tallies,
      spoiltAnswers: stage.backEnds.counts,
      peakRssMb: invariants.peakRssMb,
      heapMb: { before: heapsOf(invariants.start), after: heapsOf(after) },
    };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    say(
      `${error.message}\n${stage.nodes.map((node) => node.log('crash.log').slice(0, 4000)).join('')}\nLooking for a shorter way to it …`,
    );
    await stage.close();
    const shortest = await shorten(isEnd ? done : last, (cases) => fails(cases, isEnd, options), options.shortenMs);
    throw new Broken(`seed ${seed}, slice ${slice} of ${sliceSize} each: ${error.message}\n${shortest}`, {
      cause: error,
    });
  } finally {
    await stage.close();
  }
}

/** Has all these conversations. @throws Broken for an answer that says that the server has a fault */
async function attack(cases: readonly FuzzCase[], stage: Stage, tallies: Tallies): Promise<void> {
  const waiting = [...cases];
  const one = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const tally = tallyOf(tallies, next.target);
      await converse(next, stage, tally);
      const [fault] = tally.faults;
      if (fault !== undefined) throw new Broken(`${next.id} was answered with a fault: ${JSON.stringify(fault)}`);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: concurrency }, one));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

/** Whether these conversations break something, on new nodes. */
async function fails(cases: readonly FuzzCase[], lookAtEnd: boolean, options: StageOptions): Promise<boolean> {
  const stage = await Stage.open(options);
  try {
    const invariants = await Invariants.watch(stage);
    await attack(cases, stage, new Map());
    await invariants.hold();
    if (lookAtEnd) await invariants.leftNothing();
    invariants.end();
    return false;
  } catch (error) {
    if (error instanceof Broken) return true;
    throw error;
  } finally {
    await stage.close();
  }
}
