#!/usr/bin/env node
/**
 * The top of profiles: where the processor's time goes (`.cpuprofile`), or who allocated what is still in use (`.heapprofile`), by
 * function and by file; in both cases without what was called from there.
 *
 *     node bench/report/top.mjs FILE… [--lines 25] [--callers TEXT]
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argumentsOf, refuse } from '../../scripts/arguments.mjs';
import { readable } from '../lib/statistics.mjs';

const { values, positionals } = argumentsOf(
  { lines: { type: 'string', default: '25' }, callers: { type: 'string' } },
  { allowPositionals: true },
);
if (positionals.length === 0) refuse('name a .cpuprofile or .heapprofile; --help shows what there is');

/** Nodes of either kind of profile as `{ frame, self, children }`, the unit of `self`, and the sum. */
function read(file) {
  const profile = JSON.parse(readFileSync(file, 'utf8'));
  const nodes = profile.nodes ? cpuNodes(profile) : heapNodes(profile.head);
  return { nodes, unit: profile.nodes ? 'ms' : 'bytes' };
}

function cpuNodes({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, { frame: node.callFrame, self: 0, parents: [] }]));
  for (const node of nodes) for (const child of node.children ?? []) byId.get(child).parents.push(byId.get(node.id));
  // What passed before the first sample was the profiler's own start.
  for (let i = 1; i < samples.length; i += 1) byId.get(samples[i]).self += Math.max(0, timeDeltas[i]) / 1000;
  return [...byId.values()];
}

function heapNodes(head, parents = []) {
  const node = { frame: head.callFrame, self: head.selfSize, parents };
  return [node, ...head.children.flatMap((child) => heapNodes(child, [node]))];
}

function place({ url, lineNumber }) {
  if (url === '') return '';
  const file = url.startsWith('file:') ? fileURLToPath(url) : url;
  return `${file.startsWith('/') ? relative(process.cwd(), file) : file}:${lineNumber + 1}`;
}

const label = (frame) => `${frame.functionName || '(anonymous)'} ${place(frame)}`.trim();
const file = (frame) => place(frame).replace(/:\d+$/, '') || frame.functionName;

function addUp(nodes, key) {
  const sums = new Map();
  for (const node of nodes) sums.set(key(node), (sums.get(key(node)) ?? 0) + node.self);
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function print(title, sums, total, unit) {
  console.log(`\n${title}`);
  for (const [name, sum] of sums.slice(0, Number(values.lines))) {
    if (sum > 0)
      console.log(`${((100 * sum) / total).toFixed(1).padStart(6)} %  ${readable(sum).padStart(9)} ${unit}  ${name}`);
  }
}

for (const path of positionals) {
  const { nodes, unit } = read(path);
  const busy = nodes.filter(({ frame }) => frame.functionName !== '(idle)');
  const total = busy.reduce((sum, { self }) => sum + self, 0);
  console.log(`\n== ${path}: ${readable(total)} ${unit}${unit === 'ms' ? ' busy' : ''}`);
  print(
    'by function',
    addUp(busy, ({ frame }) => label(frame)),
    total,
    unit,
  );
  print(
    'by file',
    addUp(busy, ({ frame }) => file(frame)),
    total,
    unit,
  );
  if (values.callers !== undefined) {
    const called = busy.filter(({ frame }) => label(frame).includes(values.callers));
    const chain = (node) => {
      const names = [label(node.frame)];
      for (let at = node.parents[0]; at && names.length < 6; at = at.parents[0]) names.push(label(at.frame));
      return names.join(' < ');
    };
    print(`who calls ${values.callers}`, addUp(called, chain), total, unit);
  }
}
