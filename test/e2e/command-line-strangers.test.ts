/**
 * The command line against servers that are no Hive. Once JSON of another form was an exception with a stack, or a node with
 * `undefined` for a name; `hive stop` took any 200 for a node that stops; what dripped or never ended was waited for without end;
 * and what could not be written to a full disk was lost with exit code 0.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { type Finished, hive, program } from '../support/hive-process.ts';
import { configOf, failed, locked } from '../support/locked-node.ts';

const commands = [
  ['status'],
  ['status', '--cluster'],
  ['status', '--json'],
  ['tree'],
  ['tree', '--json'],
  ['tree', '--json', '--cluster'],
  ['top', '--once'],
  ['stop'],
  ['stop', '--cluster'],
];

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe('a server that is no Hive', () => {
  let server: Server;
  let answer: Answer = () => {};
  /** `METHOD path` of every request. */
  let asked: string[] = [];
  before(async () => {
    server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      answer(request, response);
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  });
  after(() => server.close().closeAllConnections());

  const run = (command: readonly string[]) => {
    const { port } = server.address() as AddressInfo;
    return hive([...command, '--url', `http://127.0.0.1:${port}`, '--key', 'a wrong key']);
  };
  const fails = (finished: Finished, reason: RegExp) => {
    failed(finished, reason);
    assert.equal(finished.stderr.indexOf('\n'), finished.stderr.length - 1, 'one line');
  };
  const body =
    (text: string, status = 200): Answer =>
    (_request, response) =>
      response.writeHead(status).end(text);

  const other = /answers, but is not the (monitor|API) of a Hive\.\n$/;
  const health = { node: 'a@b', status: 'ready', reasons: 'none', version: '1.0.0', sockets: 'none' };
  for (const text of ['null', JSON.stringify(health)]) {
    test(`that answers ${text} is told from one by every command`, async () => {
      answer = body(text);
      for (const command of commands) fails(await run(command), other);
    });
  }

  test('is told from one whatever else it answers, in one line', async () => {
    for (answer of ['', '{}', '[]', '"1.0.0"', '<!doctype html>'].map((text) => body(text))) {
      fails(await run(['tree']), other);
      fails(await run(['stop']), other);
    }
    answer = body('{"error": "of\\nanother", "description": "two\\nlines"}', 403);
    fails(await run(['status']), other);
    answer = body(JSON.stringify({ error: 'router_error', description: `two\nlines ${'x'.repeat(9999)}` }), 403);
    fails(await run(['status']), /refuses: router_error: two lines x+…\n$/);
  });

  test('is not told to stop, and is no node that has stopped', async () => {
    asked = [];
    answer = body('OK');
    fails(await run(['stop']), other);
    assert.deepEqual(asked, ['GET /api/hive/version']);
    answer = (request, response) => response.end(request.method === 'GET' ? '1.0.0' : '<html>');
    fails(await run(['stop']), other);
  });

  test('is given up when its answer is too large', async () => {
    const piece = Buffer.alloc(1_000_000, 'x');
    answer = (_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    };
    fails(await run(['status']), /answers with more than 100 MB\.\n$|does not answer within 15 s\.\n$/);
  });

  test('is given up when its answer comes too slowly', async (t) => {
    answer = (_request, response) => {
      const timer = setInterval(() => response.write(' '), 500);
      response.on('close', () => clearInterval(timer));
      t.after(() => clearInterval(timer));
    };
    const both = await Promise.all([run(['status']), run(['stop'])]);
    for (const finished of both) fails(finished, /does not answer within 15 s\.\n$/);
  });
});

describe('output', () => {
  const shell = (line: string) =>
    new Promise<{ code: unknown; stderr: string }>((resolve) => {
      execFile('bash', ['-o', 'pipefail', '-c', line], (error, _stdout, stderr) =>
        resolve({ code: error?.code ?? 0, stderr }),
      );
    });
  const command = `"${process.execPath}" "${program}"`;

  test('that cannot be written is an error', {
    skip: existsSync('/dev/full') ? false : 'there is no /dev/full',
  }, async (t) => {
    const node = await DefaultNode.start(locked);
    t.after(() => node.stop());
    const config = `--config "${configOf(node)}"`;
    for (const what of [
      `status ${config}`,
      `tree --json ${config}`,
      `check "${configOf(node)}"`,
      '--version',
      '--help',
    ]) {
      const { code, stderr } = await shell(`${command} ${what} > /dev/full`);
      assert.match(stderr, /^hive[^\n]*: The output cannot be written: ENOSPC[^\n]*\n$/, what);
      assert.equal(code, 1, what);
    }
    // Who has read enough: the node is stopped all the same, and its end is waited for.
    assert.deepEqual(await shell(`${command} stop ${config} | true`), { code: 0, stderr: '' });
    // It has ended; that this process is told so may take a moment.
    await eventually(() => !node.process.running, 'the news of its end');
  });
});
