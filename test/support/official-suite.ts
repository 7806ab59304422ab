/** A checkout of an official suite (github.com/socketio/socket.io-protocol, …/engine.io-protocol), run as it is. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type SuiteKind = 'Socket.IO 5' | 'Engine.IO 4' | 'Engine.IO 3';

export interface SuiteResult {
  readonly passed: number;
  readonly skipped: number;
  /** Title and message of each. */
  readonly failed: readonly string[];
}

interface MochaReport {
  readonly stats: { readonly passes: number; readonly pending: number };
  readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message: string } }[];
}

const address = 'http://localhost:3000';

/**
 * In place of the suite's own node-imports.js: WebSockets that give one event a task, as in browsers. With those that it brings, a
 * message that arrives together with the one before it is lost to a test that waits for one after the other.
 */
const surroundings = `
import fetch from 'node-fetch';
import chai from 'chai';
import chaiString from 'chai-string';
import { WebSocket } from ${JSON.stringify(import.meta.resolve('ws'))};

chai.use(chaiString);
globalThis.chai = chai;
globalThis.fetch = fetch;
globalThis.WebSocket = class extends WebSocket {
  constructor(url) {
    super(url, { allowSynchronousEvents: false });
  }
};
`;

export class OfficialSuite {
  readonly kind: SuiteKind;
  readonly #folder: string;
  readonly #source: string;

  /** @throws Error if there is no suite, or its packages are not installed */
  constructor(checkout: string) {
    this.#folder = join(checkout, 'test-suite');
    this.#source = readFileSync(join(this.#folder, 'test-suite.js'), 'utf8');
    if (!this.#source.includes(address)) throw new Error(`${this.#folder}/test-suite.js does not name ${address}`);
    if (!existsSync(join(this.#folder, 'node_modules/mocha'))) throw new Error(`run npm ci in ${this.#folder} first`);
    const engine = this.#source.includes('EIO=3') ? 'Engine.IO 3' : 'Engine.IO 4';
    this.kind = this.#source.includes('/socket.io/') ? 'Socket.IO 5' : engine;
  }

  /** Runs it against a server at that address, the only thing that is changed in it. */
  async run(url: string): Promise<SuiteResult> {
    const copy = mkdtempSync(join(tmpdir(), 'hive-suite-'));
    try {
      for (const name of ['node_modules', 'package.json']) symlinkSync(join(this.#folder, name), join(copy, name));
      writeFileSync(join(copy, 'node-imports.js'), surroundings);
      writeFileSync(join(copy, 'test-suite.js'), this.#source.replace(address, url));
      const { stats, failures } = JSON.parse(await mocha(copy)) as MochaReport;
      const failed = failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message}`);
      return { passed: stats.passes, skipped: stats.pending, failed };
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  }
}

function mocha(folder: string): Promise<string> {
  const args = ['node_modules/mocha/bin/mocha', '--exit', '--reporter', 'json', 'test-suite.js'];
  const process_ = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  process_.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    process_.once('error', reject);
    process_.once('close', () => resolve(output.slice(output.indexOf('{\n'))));
  });
}
