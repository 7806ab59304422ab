/** One run: everything follows from its seed. */
import { VirtualClock } from './clock.ts';
import { happen } from './happenings.ts';
import type { Parts } from './node.ts';
import { type Figures, World } from './world.ts';

/** Takes a rule out, so that it is seen that the simulation notices. */
export interface Mutation {
  readonly parts?: Parts;
  /** Changes classes, until what it returns is disposed of. */
  readonly patch?: () => Disposable;
}

export interface Outcome {
  /** What went wrong first, if anything did. */
  readonly mistake: string | undefined;
  readonly figures: Figures;
  /** What has happened, a line each. */
  readonly trace: readonly string[];
}

const happenings = 60;

/**
 * @param nodes how many, up to three
 * @param isDurable whether sessions outlive their nodes
 * @param isWild whether everything may happen then, also to several nodes: such runs may fail
 * @param schedule what happens, if not what chance has chosen
 */
export async function simulate(
  seed: number,
  nodes = 1,
  mutation: Mutation = {},
  isDurable = false,
  isWild = false,
  schedule: (world: World) => Promise<void> = (world) => happen(world, happenings),
): Promise<Outcome> {
  const clock = new VirtualClock(seed);
  const patch = mutation.patch?.();
  const world = new World(clock, nodes, mutation.parts ?? {}, isDurable, isWild);
  try {
    await world.start();
    await schedule(world);
    if (world.mistake === undefined) await world.calmDown();
    if (world.mistake === undefined) await world.empty();
  } catch (error) {
    world.broken(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    for (const node of world.nodes) node.halt();
    await clock.settle();
    clock[Symbol.dispose]();
    patch?.[Symbol.dispose]();
  }
  const { mistake, figures, trace } = world;
  return { mistake, figures, trace };
}

/** What is to be read when a run has failed. */
export function report(
  seed: number,
  nodes: number,
  isDurable: boolean,
  { mistake, trace }: Outcome,
  { lines = 40, isWild = false } = {},
): string {
  const kind = `${isDurable ? ' --durable' : ''}${isWild ? ' --wild' : ''}`;
  const again = `npm run soak -- --seed ${seed} --nodes ${nodes}${kind} --runs 1 --trace`;
  return named(`${trace.slice(-lines).join('\n')}\n${mistake}\nAgain: ${again}`);
}

/** Session ids are long, and different each time. */
function named(text: string): string {
  const names = new Map<string, string>();
  return text.replace(/\b[\w-]{30}\b/g, (sid) => {
    const name = names.get(sid) ?? `session-${names.size + 1}`;
    names.set(sid, name);
    return name;
  });
}
