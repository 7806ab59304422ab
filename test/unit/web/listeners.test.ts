import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Metrics } from '../../../src/observe/metrics.ts';
import { Listeners } from '../../../src/web/listeners.ts';
import type { Listening, SocketApp, SocketLibrary } from '../../../src/web/sockets/types.ts';

/** Of a limit of 1600: closed to clients at 100 left, to the API at 25, to the monitor at 12. */
const limit = 1600;

function setUp(t: TestContext) {
  const lines: string[] = [];
  const note = (text: string) => lines.push(text);
  const log = { warning: note, notice: note, error: note } as never;
  /** Files in use, but for those that hold the reserve: these are open really, and so not counted here. */
  const machine = { used: 30, held: 100 };
  const files = { limit, count: () => machine.used + machine.held };
  const listeners = new Listeners(files, log, new Metrics());
  t.after(() => listeners.end());
  const servers: Record<string, boolean> = {};
  const taken = new Set<string>();
  const library = (name: string): SocketLibrary => ({
    createApp: () => {
      const set = (on: boolean) => {
        servers[name] = on;
      };
      const listening: Listening = {
        port: 1,
        stop: () => set(false),
        pause: () => set(false),
        resume: async () => {
          if (taken.has(name)) throw new Error('taken');
          set(true);
        },
      };
      const listen = async () => {
        set(true);
        return listening;
      };
      return { listen } as unknown as SocketApp;
    },
  });
  const start = (whose: 'clients' | 'api' | 'monitor') =>
    listeners.keep(library(whose), whose).createApp().listen('127.0.0.1', 1);
  /** What is open when so many files are left. */
  const left = (count: number) => {
    machine.used = limit - count;
    listeners.look();
    machine.held = servers.clients === false ? 0 : 100;
    return Object.keys(servers).filter((name) => servers[name]);
  };
  return { listeners, lines, left, start, taken };
}

test('listeners close one after the other as files run short, and open again in turn', async (t) => {
  const { listeners, left, start } = setUp(t);
  for (const whose of ['clients', 'api', 'monitor'] as const) await start(whose);
  const all = ['clients', 'api', 'monitor'];
  assert.deepEqual(left(1500), all);
  assert.equal(listeners.shortage, undefined);
  assert.deepEqual(left(199), all);
  assert.equal(listeners.shortage, 'open files run short: at most 1600 may be open');
  assert.deepEqual(left(100), ['api', 'monitor']);
  assert.deepEqual(left(26), ['api', 'monitor']);
  assert.deepEqual(left(25), ['monitor']);
  assert.deepEqual(left(12), []);
  assert.deepEqual(left(24), []);
  assert.deepEqual(left(25), ['monitor']);
  assert.deepEqual(left(50), ['api', 'monitor']);
  assert.deepEqual(left(299), ['api', 'monitor']);
  assert.ok(listeners.shortage);
  assert.deepEqual(left(300), all);
  assert.equal(listeners.shortage, undefined);
});

test('it is told once, however often it happens within a minute', async (t) => {
  const { lines, left, start } = setUp(t);
  await start('clients');
  for (let round = 0; round < 5; round += 1) {
    left(50);
    left(1000);
  }
  assert.deepEqual(lines, [
    'Open files run short: new clients are refused until some are closed',
    'There are open files enough: new clients are accepted again',
  ]);
});

test('a port that somebody else has meanwhile is tried again', async (t) => {
  const { left, lines, start, taken } = setUp(t);
  await start('clients');
  left(50);
  taken.add('clients');
  assert.deepEqual(left(1000), []);
  await Promise.resolve();
  assert.deepEqual(left(1000), []);
  await Promise.resolve();
  const told = lines.filter((line) => line === 'A server that had closed for want of open files cannot listen again');
  assert.equal(told.length, 1);
  taken.clear();
  assert.deepEqual(left(1000), ['clients']);
});

test('a server that has stopped stays closed', async (t) => {
  const { left, start } = setUp(t);
  const listening = await start('clients');
  left(50);
  listening.stop();
  assert.deepEqual(left(1000), []);
});
