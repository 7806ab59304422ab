/**
 * Runs the tests that concern sockets on every version of Node and every socket library that Hive supports.
 *
 *   npm run matrix                          all rows; ends with 1 if a test fails
 *   npm run matrix -- 24/node 20/20.30      those rows
 *   npm run matrix -- --write               all rows, and their outcome in docs/platforms.md
 *   npm run matrix -- --smoke               one cluster of two nodes for each other version of Node: a minute
 *
 * Versions of Node are packages of the npm registry. Where a library needs a newer C library than this machine's, the row runs in a
 * Debian root (debian-root.mjs), which takes root's rights. What was fetched is kept, see `cache` there.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { argumentsOf, refuse } from './arguments.mjs';
import { cache, command, copyRoot, debianRoot, installNode, npmPackage } from './debian-root.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const table = join(root, 'docs/platforms.md');
const begin = '<!-- written by npm run matrix: begin -->';
const end = '<!-- written by npm run matrix: end -->';

/** Client, API, monitor, cluster and browser tests, and those of the socket libraries themselves. */
const places = ['unit/web', 'protocol', 'cluster', 'browser', 'e2e/distributed-chat.test.ts', 'e2e/bad-input.test.ts'];

const rows = [
  { node: 20, sockets: '20.30' },
  { node: 20, sockets: 'node' },
  { node: 22, sockets: 'node' },
  { node: 24, sockets: 'node' },
  { node: 26, sockets: 'node' },
  { node: 22, sockets: '20.57', debian: 'trixie' },
  { node: 24, sockets: '20.57', debian: 'trixie' },
];

/** What the tests need of Debian. */
const debianPackages = [
  ...[
    'ca-certificates',
    'chromium',
    'curl',
    'erlang-base',
    'erlang-ssl',
    'git',
    'iproute2',
    'make',
    'openssl',
    'procps',
  ],
  ...['python3', 'python3-requests', 'python3-socketio', 'python3-websocket', 'redis-server', 'tmux'],
];

function nodeProgram(major) {
  return join(npmPackage(`node-${process.platform}-${process.arch}`, major), 'bin/node');
}

/** The program and arguments that run the tests of a row, and what is to be done afterwards. */
function prepare({ node, sockets, debian }) {
  const args = ['scripts/test.mjs', ...places];
  if (!debian) {
    const program = nodeProgram(node);
    const env = { ...process.env, PATH: `${dirname(program)}${delimiter}${process.env.PATH}`, HIVE_SOCKETS: sockets };
    return { start: [program, args, { env }], version: versionOf(program), system: ownSystem(), cleanUp() {} };
  }
  const copy = copyRoot(debianRoot({ suite: debian, packages: debianPackages }), join(cache, `matrix-${process.pid}`));
  installNode(copy, node);
  const { CI, TEST_LANES } = process.env;
  const env = { HIVE_SOCKETS: sockets, ...(CI && { CI }), ...(TEST_LANES && { TEST_LANES }) };
  const [program, rest] = command(copy, ['node', ...args], { cwd: '/hive', env, binds: { '/hive': root } });
  const cleanUp = () => rmSync(copy, { recursive: true, force: true });
  return { start: [program, rest, {}], version: versionOf(nodeProgram(node)), system: `Debian ${debian}`, cleanUp };
}

function ownSystem() {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return release.match(/^PRETTY_NAME="?([^"\n]+)/m)?.[1] ?? process.platform;
}

function versionOf(program) {
  return spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout.trim().slice(1);
}

/** Runs the tests of a row; what they say goes to a file. */
async function runRow(row) {
  const { start, version, system, cleanUp } = prepare(row);
  const [program, args, options] = start;
  const log = join(cache, 'matrix', `${row.node}-${row.sockets}.log`);
  mkdirSync(dirname(log), { recursive: true });
  const file = createWriteStream(log);
  let output = '';
  const code = await new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        file.write(text);
      });
    }
    child.once('error', reject).once('close', resolve);
  });
  file.end();
  cleanUp();
  const count = (name) => Number(output.match(new RegExp(`^# ${name} (\\d+)$`, 'm'))?.[1] ?? Number.NaN);
  const [passed, failed, skipped] = [count('pass'), count('fail') + count('cancelled'), count('skipped')];
  const outcome = { version, system, sockets: row.sockets, passed, failed, skipped, isGood: code === 0 && passed > 0 };
  console.log(`${row.node}/${row.sockets}: ${passed} passed, ${failed} failed, ${skipped} skipped (${log})`);
  if (!outcome.isGood) console.log(output.match(/^Failed files:.*?\n\n/ms)?.[0] ?? output.slice(-2000));
  return outcome;
}

function smoke() {
  const nodes = [22, 24, 26].map(nodeProgram).join(delimiter);
  const env = { ...process.env, HIVE_TEST_NODES: nodes };
  return spawnSync(process.execPath, ['scripts/test.mjs', 'cluster/mixed-nodes.test.ts'], {
    cwd: root,
    env,
    stdio: 'inherit',
  }).status;
}

function write(outcomes) {
  const head = ['Node', 'sockets', 'system', 'passed', 'failed', 'skipped'];
  const body = outcomes.map((row) =>
    [row.version, row.sockets, row.system, row.passed, row.failed, row.skipped].map(String),
  );
  const widths = head.map((title, column) => Math.max(title.length, ...body.map((row) => row[column].length)));
  const line = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  const lines = [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)];
  const text = readFileSync(table, 'utf8');
  const [before, after] = [text.split(begin)[0], text.split(end)[1]];
  if (after === undefined) throw new Error(`docs/platforms.md lacks "${begin}" … "${end}"`);
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(table, `${before}${begin}\n\nRun on ${date}.\n\n${lines.join('\n')}\n\n${end}${after}`);
}

const { values, positionals: names } = argumentsOf(
  { write: { type: 'boolean' }, smoke: { type: 'boolean' } },
  { allowPositionals: true },
);
const nameOf = ({ node, sockets }) => `${node}/${sockets}`;
const stray = names.find((name) => !rows.some((row) => nameOf(row) === name));
if (stray !== undefined) refuse(`there is no row ${stray}; there are ${rows.map(nameOf).join(', ')}`);
if (!existsSync(join(root, 'dist/bin/hive.js'))) refuse('dist is missing: run `npm run build` first');
if (values.smoke) process.exit(smoke());
const wanted = rows.filter((row) => names.length === 0 || names.includes(nameOf(row)));
const outcomes = [];
for (const row of wanted) outcomes.push(await runRow(row));
if (values.write) write(outcomes);
process.exit(outcomes.every(({ isGood }) => isGood) ? 0 : 1);
