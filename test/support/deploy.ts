/** The files under deploy/, and the tools that read them. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { findProgram } from './programs.ts';

/** Debian keeps some of these tools where users do not look for programs. */
process.env.PATH = `${process.env.PATH}:/usr/local/sbin:/usr/sbin:/sbin`;

export function deployed(path: string): string {
  return fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url));
}

/** A file under deploy/ in which each key is replaced by its value; each must be there. */
export function adapted(path: string, changes: Readonly<Record<string, string>>): string {
  let text = readFileSync(deployed(path), 'utf8');
  for (const [from, to] of Object.entries(changes)) {
    assert.ok(text.includes(from), `deploy/${path} has '${from}'`);
    text = text.replaceAll(from, to);
  }
  return text;
}

/** What a tool says to a file; fails if it does not like it. */
export function run(program: string, ...args: string[]): string {
  const { error, status, stdout, stderr } = spawnSync(findProgram(program)!, args, { encoding: 'utf8' });
  assert.ifError(error);
  const said = `${stdout}${stderr}`;
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${said}`);
  return said;
}

/**
 * What `hive check` warns of in a configuration for containers, but for what is so on purpose: API and monitor are open to the
 * network of the containers, where others than nodes and back ends are kept out by other means.
 */
export function unexpectedWarnings(output: string): string[] {
  const meant = /: (?:api|monitor)\.host: .* → the \w+ listens beyond this machine without tls/;
  return output.split('\n').filter((line) => line.startsWith('warning: ') && !meant.test(line));
}

interface Context {
  after(end: () => void | Promise<void>): void;
}

/** A folder that goes with the test. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'hive-deploy-'));

  constructor(t: Context) {
    t.after(() => rmSync(this.path, { recursive: true, force: true }));
  }

  file(name: string, content = ''): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }
}

/** Starts a server that ends with the test, and waits until it listens. */
export async function serve(t: Context, port: number, program: string, ...args: string[]): Promise<ChildProcess> {
  const server = spawn(findProgram(program)!, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.on('data', (data) => {
      output += data;
    });
  }
  const ended = new Promise((resolve) => server.once('close', resolve));
  t.after(async () => {
    server.kill();
    await ended;
  });
  await eventually(() => {
    assert.equal(server.exitCode, null, output);
    return accepts(port);
  }, `${program} to listen`);
  return server;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
