/** Makes a failure small: fewer conversations, then fewer steps, as long as it still fails. */
import { inspect } from 'node:util';
import type { FuzzCase } from './targets/all.ts';

/** Characters of what was sent that are printed of each step. */
const maxShown = 3000;
/** Conversations that are named, at most. */
const maxIds = 20;

/**
 * Describes the shortest way to the failure that is found in the time.
 * @param cases what was said before it
 * @param fails whether a list of conversations leads to it
 */
export async function shorten(
  cases: readonly FuzzCase[],
  fails: (cases: readonly FuzzCase[]) => Promise<boolean>,
  limitMs: number,
): Promise<string> {
  const end = performance.now() + limitMs;
  const isOver = () => performance.now() > end;
  if (isOver()) return `It was not made shorter; the last conversations were ${idsOf(cases)}`;
  if (!(await fails(cases))) return `These conversations alone do not lead to it again: ${idsOf(cases)}`;
  let shortest = await without(cases, fails, isOver);
  if (shortest.length <= 3) {
    for (const [index, one] of shortest.entries()) {
      const around = (steps: FuzzCase['steps']) => shortest.with(index, { ...one, steps: [...steps] });
      // What comes first opens the connection.
      const [first, ...rest] = one.steps;
      const steps = await without(rest, (some) => fails(around([first!, ...some])), isOver);
      shortest = around([first!, ...steps]);
    }
  }
  return shortest.length > 20
    ? `It takes ${shortest.length} conversations: ${idsOf(shortest)}`
    : shortest.map(show).join('\n');
}

/** Leaves out parts, large ones first, and keeps what still fails. */
async function without<Item>(
  items: readonly Item[],
  fails: (items: readonly Item[]) => Promise<boolean>,
  isOver: () => boolean,
): Promise<readonly Item[]> {
  let left = items;
  for (let size = Math.ceil(items.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < left.length && !isOver(); ) {
      const fewer = [...left.slice(0, at), ...left.slice(at + size)];
      if (fewer.length > 0 && (await fails(fewer))) left = fewer;
      else at += size;
    }
  }
  return left;
}

function idsOf(cases: readonly FuzzCase[]): string {
  const ids = cases.slice(0, maxIds).map(({ id }) => id);
  return ids.join(' ') + (cases.length > maxIds ? ` and ${cases.length - maxIds} more` : '');
}

function show({ id, steps }: FuzzCase): string {
  const lines = steps.map((step) => {
    if (step.do !== 'send') return `  ${inspect(step)}`;
    const text = JSON.stringify(step.bytes.toString('latin1'));
    return `  send ${step.bytes.length} bytes: ${text.slice(0, maxShown)}`;
  });
  return [id, ...lines].join('\n');
}
