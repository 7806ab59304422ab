/**
 * Handshakes by polling with 60 to 100 KB of headers, by somebody who never asks for a client: a heap of 512 MB was full in four
 * seconds, and all clients of the node were lost.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket } from '../support/raw-client.ts';
import { loadable } from '../support/socket-libraries.ts';

const polling = '/socket.io/?EIO=4&transport=polling';
const connections = 40;

interface Memory {
  readonly hive: { readonly memory: { readonly processes: number; readonly total: number } };
}

/** Heads that would fill the heap if they were kept. */
const large = { count: 7000, sizes: [60_000, 80_000, 100_000] };
/** Heads that are small enough, and half as much again as may be kept of them. */
const small = { count: 6500, sizes: [15_000] };

/** Sends so many heads of these sizes in turn. @returns how often each status came; `closed`: the connection ended instead */
async function flood(port: number, { count, sizes }: typeof small): Promise<Record<string, number>> {
  const heads = sizes.map((size) =>
    Buffer.from(`GET ${polling} HTTP/1.1\r\nHost: x\r\nX-Padding: ${'x'.repeat(size)}\r\n\r\n`),
  );
  const answers: Record<string, number> = {};
  let sent = 0;
  /** Goes on until the server closes the connection. */
  const attack = async (): Promise<void> => {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    // A reset is an end like any other: `once` would reject.
    const closed = new Promise((resolve) => socket.on('close', resolve));
    let isDue = false;
    const next = (): void => {
      if (sent === count) {
        socket.destroy();
        return;
      }
      socket.write(heads[sent % heads.length]!);
      sent += 1;
      isDue = true;
    };
    const tally = (status: string): void => {
      answers[status] = (answers[status] ?? 0) + 1;
      isDue = false;
    };
    socket.on('data', (data) => {
      if (!isDue) return;
      const status = data.toString('latin1', 9, 12);
      tally(status);
      if (status === '431') socket.destroy();
      else next();
    });
    next();
    await closed;
    if (isDue) tally('closed');
  };
  const attacker = async (): Promise<void> => {
    while (sent < count) await attack();
  };
  await Promise.all(Array.from({ length: connections }, attacker));
  return answers;
}

for (const sockets of loadable) {
  test(`${sockets}: handshakes with large heads, and more small ones than may be kept, cost others nothing`, async (t) => {
    const node = await DefaultNode.start(
      (config) => {
        // So that bytes are the limit, not connections; and headers are wanted.
        Object.assign(config.hive!, { max_client_slots: 20_000 });
        config.socketio = { connect_timeout: 60_000, ping_interval: 60_000 };
        Object.assign(config.clients!.hooks as object, {
          on_connect: [{ hook: 'utils.console_dump', args: null }],
          echo: [{ hook: 'utils.echo', args: null }],
        });
      },
      { HIVE_SOCKETS: sockets, NODE_OPTIONS: '--max-old-space-size=512' },
    );
    t.after(() => node.stop());
    const port = Number(new URL(node.url).port);
    const client = await new RawSocket(`${node.url}${polling.replace('polling', 'websocket')}`).opened();
    await client.next();
    client.answerPings();
    client.send('40');
    assert.match(await client.next(), /^40/);
    let isOver = false;
    const echoing = (async () => {
      let echoes = 0;
      for (; !isOver; echoes += 1) {
        client.send(`42["echo",${echoes}]`);
        await eventually(() => client.messages.includes(`42["echo",${echoes}]`), `echo ${echoes}`);
        client.messages.length = 0;
      }
      return echoes;
    })();
    const answers = [];
    for (const heads of [large, small]) answers.push(await flood(port, heads));
    isOver = true;
    const echoes = await echoing;
    const [toLarge, toSmall] = answers as [Record<string, number>, Record<string, number>];
    assert.ok(echoes > 10, `${echoes} echoes`);
    assert.deepEqual(
      Object.keys(toLarge).filter((status) => status !== '431' && status !== 'closed'),
      [],
    );
    assert.ok(toLarge['431']! > 0, JSON.stringify(toLarge));
    assert.deepEqual(Object.keys(toSmall).sort(), ['200', '503']);
    const metrics = (await (await node.monitor('GET', 'hive.memory')).json()) as Memory;
    assert.ok(metrics.hive.memory.processes < 300e6 && metrics.hive.memory.total < 700e6, JSON.stringify(metrics));
    assert.equal(client.code, undefined);
  });
}
