/** What is made of the figures of several runs. */

export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The least of the numbers that so large a part of them do not exceed. */
export function quantile(numbers, part) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

/** Median, and the distance between the least and the greatest as a part of it. */
export function summary(numbers) {
  const middle = median(numbers);
  const range = Math.max(...numbers) - Math.min(...numbers);
  return { median: middle, spread: middle === 0 ? 0 : range / middle };
}

/**
 * How many times the other one something is: the median over the rounds. What slows the machine for a while hits both of a round,
 * but not the runs of other rounds.
 */
export function ratio(own, other) {
  return median(own.map((figure, round) => figure / other[round]));
}

/** For people: three significant digits, thousands with a comma. */
export function readable(number) {
  if (!Number.isFinite(number)) return '–';
  const digits = Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2;
  const rounded = Math.abs(number) >= 1000 ? Number(number.toPrecision(3)) : number;
  return rounded.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}

export const percent = (part) => `${Math.round(part * 100)} %`;

/** For parts of which the last thousandth counts: all is 100 %, and nothing else is. */
export function exactPercent(part) {
  const text = (part < 1 ? Math.min(part * 100, 99.999) : part * 100).toFixed(3);
  return `${Number(text)} %`;
}
