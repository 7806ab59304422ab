/** Old fault: resumed, paused and resumed again within one tick, a server opened its port twice, and the second time failed. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { test } from 'node:test';
import { PausableListening } from '../../../../src/web/sockets/listening.ts';

/** Real listening, counted. */
function openings() {
  const counts = { opened: 0, open: 0 };
  const open = async (port: number) => {
    counts.opened += 1;
    const server = createServer((socket) => socket.end());
    server.listen({ host: '127.0.0.1', port, exclusive: true });
    await once(server, 'listening');
    counts.open += 1;
    const close = (): void => {
      counts.open -= 1;
      server.close();
    };
    return { port: (server.address() as { port: number }).port, close };
  };
  return { counts, open };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test('resume, pause and resume within one tick open the port once', async (t) => {
  const { counts, open } = openings();
  const listening = await PausableListening.start(open, 0);
  t.after(() => listening.stop());
  listening.pause();
  const first = listening.resume();
  listening.pause();
  await Promise.all([first, listening.resume()]);
  assert.deepEqual(counts, { opened: 2, open: 1 });
  assert.ok(await answers(listening.port));
});

test('whatever is done while it opens, the last word holds', async () => {
  const { counts, open } = openings();
  const listening = await PausableListening.start(open, 0);
  listening.pause();
  const first = listening.resume();
  listening.pause();
  await first;
  assert.deepEqual([counts.open, await answers(listening.port)], [0, false]);
  await listening.resume();
  assert.deepEqual([counts.open, await answers(listening.port)], [1, true]);
  listening.pause();
  const last = listening.resume();
  listening.stop();
  await Promise.all([last, listening.resume()]);
  assert.deepEqual([counts.open, await answers(listening.port)], [0, false]);
});

test('an opening that fails is told to all who wait for it, and may be tried again', async (t) => {
  const { counts, open } = openings();
  const listening = await PausableListening.start(open, 0);
  t.after(() => listening.stop());
  listening.pause();
  const thief = await open(listening.port);
  const tries = [listening.resume(), listening.resume()];
  for (const outcome of await Promise.allSettled(tries)) assert.equal(outcome.status, 'rejected');
  thief.close();
  await listening.resume();
  assert.equal(counts.open, 1);
});
