/** RESULTS.md and its charts, from the stored figures. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { percent, ratio, readable } from '../lib/statistics.mjs';
import { barChart } from './chart.mjs';
import { method, notes } from './notes.mjs';
import { extraText, rowsOf, sentence, targetsOf, unitOf } from './table.mjs';

export function writeResults(dir, scenarios, stored) {
  const measured = scenarios.filter(({ name }) => name in stored);
  const parts = ['# Results', method, summaryOf(measured, stored)];
  for (const scenario of measured) {
    parts.push(section(scenario, stored[scenario.name]));
    const rows = rowsOf(scenario, stored[scenario.name].results);
    const bars = rows.map((row) => ({ ...row, highlighted: row.entry.startsWith('hive') }));
    writeFileSync(
      join(dir, 'results', `${scenario.name}.svg`),
      barChart(`${scenario.title}: ${unitOf(scenario)}`, bars),
    );
  }
  parts.push(repeating, origin(measured, stored));
  writeFileSync(join(dir, 'RESULTS.md'), `${parts.join('\n\n')}\n`);
}

function summaryOf(measured, stored) {
  const lines = measured.flatMap((scenario) =>
    targetsOf(scenario, stored[scenario.name].results).map(
      (target) => `- ${scenario.letter}. \`${scenario.name}\`: ${sentence(scenario, target)}`,
    ),
  );
  return `## At a glance\n\n${lines.join('\n')}`;
}

function section(scenario, { results, date, options }) {
  const rows = rowsOf(scenario, results);
  const hive = rows.filter(({ entry }) => entry.startsWith('hive'));
  const shared = rows.some(({ shares }) => shares);
  const extras = scenario.extras ?? [];
  const head = [
    'contestant',
    `${unitOf(scenario)}, median`,
    'spread',
    ...(scenario.ratios === false ? [] : hive.map(({ title }) => `${title} ÷ it`)),
    ...extras.map(({ label }) => label),
    ...(shared ? ['server busy', 'generator busy'] : []),
  ];
  const table = [head, head.map(() => '---')];
  for (const { title, figures, median, spread, extra, shares } of rows) {
    table.push([
      title,
      readable(median),
      percent(spread),
      ...(scenario.ratios === false ? [] : hive.map((own) => ratio(own.figures, figures).toFixed(2))),
      ...extra.map((figure, index) => extraText(extras[index], figure)),
      ...(shared ? shares.map(percent) : []),
    ]);
  }
  return [
    `## ${scenario.letter}. ${scenario.title}`,
    `![${scenario.title}](results/${scenario.name}.svg)`,
    table.map((cells) => `| ${cells.join(' | ')} |`).join('\n'),
    targetsOf(scenario, results)
      .map((target) => sentence(scenario, target))
      .join('\n'),
    notes[scenario.name],
    `\`npm run bench -- ${scenario.name}\`, ${options.runs} ${options.runs === 1 ? 'run' : 'runs'} of ${options.seconds} s, ${date}.`,
  ].join('\n\n');
}

function origin(measured, stored) {
  const places = new Set(measured.map(({ name }) => describe(stored[name])));
  return `## Where\n\n${[...places].join('\n')}`;
}

const repeating = `## How to repeat it

On Linux with Node 20 or newer, two processors or more, and Redis (\`apt-get install redis-server\`), with nothing else running:

\`\`\`sh
npm ci && npm run build && npm --prefix bench install
npm run bench
\`\`\``;

function describe({ machine, versions }) {
  const used = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `- ${machine}; ${used.join(', ')}`;
}
