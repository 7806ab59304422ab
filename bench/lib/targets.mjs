/**
 * What Hive is to reach, as data: `{ of, than?, figure?, atLeast | atMost }`, where `of` and `than` are entries of the scenario.
 * With `than` their ratio counts, without it the figure itself; with `moreAtMost` their difference. `{ flat: [entries], within }` asks for
 * figures that differ little. `always`: it must be reached in a quick run, too.
 */
import { median, ratio } from './statistics.mjs';

/**
 * @param figuresOf (entry, figure) → those of its runs, or undefined if it was not measured
 * @returns the target with `value` and whether it is `reached`
 */
export function evaluate(target, figuresOf) {
  if (target.flat) return evaluateFlat(target, figuresOf);
  const { of, than, figure, atLeast, atMost, moreAtMost } = target;
  const own = figuresOf(of, figure);
  const other = than === undefined ? own?.map(() => 1) : figuresOf(than, figure);
  if (own === undefined || other === undefined) return undefined;
  // Stored figures may be of a time when this one was not measured.
  if (own.includes(undefined) || other.includes(undefined)) return undefined;
  if (moreAtMost !== undefined) {
    const value = median(own.map((each, round) => each - other[round]));
    return { ...target, value, reached: value <= moreAtMost };
  }
  const value = ratio(own, other);
  return { ...target, value, reached: atLeast === undefined ? value <= atMost : value >= atLeast };
}

/** Runs with many clients lie too far from one another in time for the ratios of rounds to be worth more than those of medians. */
function evaluateFlat(target, figuresOf) {
  const measured = target.flat.map((entry) => figuresOf(entry)).filter((figures) => figures !== undefined);
  if (measured.length < 2) return undefined;
  const medians = measured.map(median);
  const value = Math.max(...medians) / Math.min(...medians) - 1;
  return { ...target, value, reached: value <= target.within };
}
