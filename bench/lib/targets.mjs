/**
 * What Hive is to reach, as data: `{ of, than?, figure?, atLeast | atMost }`, where `of` and `than` are entries of the scenario.
 * With `than` their ratio counts, without it the figure itself. `{ flat: [entries], within }` asks for figures that differ little.
 */

/** @param figureOf (entry, figure) → median, or undefined if it was not measured */
export function evaluate(target, figureOf) {
  if (target.flat) return evaluateFlat(target, figureOf);
  const { of, than, figure, atLeast, atMost } = target;
  const own = figureOf(of, figure);
  const other = than === undefined ? 1 : figureOf(than, figure);
  if (own === undefined || other === undefined) return undefined;
  const value = own / other;
  return { ...target, value, reached: atLeast === undefined ? value <= atMost : value >= atLeast };
}

function evaluateFlat(target, figureOf) {
  const figures = target.flat.map((entry) => figureOf(entry)).filter((figure) => figure !== undefined);
  if (figures.length < 2) return undefined;
  const value = Math.max(...figures) / Math.min(...figures) - 1;
  return { ...target, value, reached: value <= target.within };
}
