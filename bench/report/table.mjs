/** The results of one scenario as rows, and what became of its targets. */
import { contestants } from '../lib/contestants.mjs';
import { exactPercent, percent, readable, summary } from '../lib/statistics.mjs';
import { evaluate } from '../lib/targets.mjs';

/** The figure that a scenario is about. */
export const mainFigure = (scenario) => scenario.figure ?? 'perCpuSecond';

/** A figure besides the main one, as text. */
export const extraText = ({ exact }, figure) => (exact ? exactPercent : readable)(figure);

export function titleOf(entry) {
  const [name, variant] = entry.split(':');
  const { title } = contestants[name];
  if (variant === undefined) return title;
  return `${title}, ${/^\d+$/.test(variant) ? `${readable(Number(variant))} clients` : variant}`;
}

export function rowsOf(scenario, results) {
  return Object.entries(results).map(([entry, runs]) => {
    const of = (figure) => summary(runs.map((run) => run[figure]));
    const figures = runs.map((run) => run[mainFigure(scenario)]);
    const { median, spread } = summary(figures);
    const extra = (scenario.extras ?? []).map(({ figure }) => of(figure).median);
    const shares =
      runs[0].serverShare === undefined ? undefined : [of('serverShare').median, of('generatorShare').median];
    return { entry, title: titleOf(entry), figures, median, spread, extra, shares };
  });
}

/** Evaluated targets, those that were measured. */
export function targetsOf(scenario, results) {
  const figuresOf = (entry, figure = mainFigure(scenario)) => results[entry]?.map((run) => run[figure]);
  return (scenario.targets ?? []).map((target) => evaluate(target, figuresOf)).filter((each) => each !== undefined);
}

/** One sentence about a target. */
export function sentence(scenario, { of, than, figure, atLeast, atMost, moreAtMost, flat, within, value, reached }) {
  const verdict = reached ? 'reached' : '**missed**';
  if (flat) {
    return `${titleOf(flat[0].split(':')[0])}: the most expensive operation costs ${percent(value)} more than the cheapest; goal: at most ${percent(within)}: ${verdict}.`;
  }
  const extra = scenario.extras?.find((each) => each.figure === figure);
  const what = `${titleOf(of)}${extra ? `, ${extra.label}` : ''}`;
  if (moreAtMost !== undefined) {
    return `${what}: ${readable(value)} ${scenario.unit} more than ${titleOf(than)}; goal: at most ${moreAtMost} more: ${verdict}.`;
  }
  const text = (number) => (extra && than === undefined ? extraText(extra, number) : readable(number));
  const bound = atLeast === undefined ? `at most ${text(atMost)}` : `at least ${text(atLeast)}`;
  if (than === undefined) {
    return `${what}: ${text(value)}${extra ? '' : ` ${scenario.unit}`}; goal: ${bound}: ${verdict}.`;
  }
  return `${what}: ${value.toFixed(2)} × ${titleOf(than)}; goal: ${bound} ×: ${verdict}.`;
}

/** For a terminal. */
export function print(scenario, results) {
  console.log(`\n${scenario.letter}. ${scenario.title} (${scenario.name}): ${unitOf(scenario)}`);
  for (const { entry, median, spread, extra, shares } of rowsOf(scenario, results)) {
    const parts = [entry.padEnd(20), readable(median).padStart(9), `spread ${percent(spread)}`.padEnd(12)];
    if (shares) parts.push(`server ${percent(shares[0])}, generator ${percent(shares[1])}`);
    (scenario.extras ?? []).forEach((each, index) => {
      parts.push(`${each.label} ${extraText(each, extra[index])}`);
    });
    console.log(parts.join('  '));
  }
  for (const target of targetsOf(scenario, results)) console.log(sentence(scenario, target).replaceAll('**', ''));
}

export function unitOf(scenario) {
  return mainFigure(scenario) === 'perCpuSecond' ? `${scenario.unit} per second of processor time` : scenario.unit;
}
