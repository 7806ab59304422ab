/** `hive top` and `hive tree` in a real terminal, and without one. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { HiveProcess, hive, program } from '../support/hive-process.ts';
import { metric } from '../support/operator.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';
import { Terminal } from '../support/terminal.ts';

const skip = missing('tmux');

/** A client that has something to say all the time, until the test is over. */
async function chatter(t: TestContext, node: DefaultNode): Promise<void> {
  const client = await SocketClient.connect('4.8 websocket', node.url);
  client.emit('subscribe', ['ping.all']);
  const talking = setInterval(() => client.emit('ping', { action: 'send', args: { name: 'pong', args: [] } }), 5);
  t.after(async () => {
    clearInterval(talking);
    await client.disconnect();
  });
}

describe('hive top', { skip }, () => {
  let node: DefaultNode;
  before(async () => {
    node = await DefaultNode.start((config) => {
      config.connectors!.pools = {
        backend: {
          connector: 'connector.http',
          size: 3,
          overflow: 0,
          args: { base_url: 'http://127.0.0.1:9', max_connection_timeout: 1000, max_connections: 1 },
        },
      };
    });
  });
  after(() => node.stop());

  /** A terminal with `hive top` in it, which has shown a frame. */
  async function start(t: TestContext, options = ''): Promise<Terminal> {
    const terminal = new Terminal(t, 120, 30);
    const settings = join(node.directory, 'settings');
    await terminal.type('echo "what was there"');
    await terminal.shows(/^what was there$/m);
    await terminal.type(
      `stty -g > ${settings}.before; ${command(node)} ${options}; stty -g > ${settings}.after; echo code $?`,
    );
    await terminal.shows(/is ready, up \d/);
    assert.deepEqual(terminal.modes, { alternate: true, cursor: false, wraps: false });
    return terminal;
  }

  async function restored(terminal: Terminal): Promise<void> {
    await terminal.shows(/^code 0$/m);
    assert.match(terminal.screen, /^what was there$/m);
    assert.deepEqual(terminal.modes, { alternate: false, cursor: true, wraps: true });
    const [before, after] = ['before', 'after'].map((when) =>
      readFileSync(join(node.directory, `settings.${when}`), 'utf8'),
    );
    assert.equal(after, before);
  }

  test('shows a node at work, and leaves the terminal as it was', async (t) => {
    await chatter(t, node);
    const terminal = await start(t);
    const screen = await terminal.shows(/^events {6}[1-9][\d.k]*\/s/m);
    assert.match(screen, /^hive@127\.0\.0\.1 is ready, up .*, version \d+\.\d+\.\d+/);
    assert.match(screen, /^clients {5}1: 1 WebSocket, 0 polling$/m);
    assert.match(screen, /^hooks {7}[1-9]/m);
    assert.match(screen, /^publishes {3}[1-9]/m);
    assert.match(screen, /^event loop {2}\d+ % busy, CPU \d+ %/m);
    assert.match(screen, /^memory {6}[\d.]+ MB, heap [\d.]+ MB$/m);
    assert.match(screen, /^ *workers +busy +waiting .* pool\n +3 +0 +0 +0 +0 .* http\.backend$/m);
    assert.match(screen, /▼messages\/s +mailbox +peak +status +actor$/m);
    assert.match(
      screen,
      /^ +[1-9][\d.]* .*running +<hive@127\.0\.0\.1\.\d+\.0> hive_sup\/hive_router_sup\/hive_client_sup\//m,
    );
    assert.match(screen, /^ q quit .* every 2 s *\n*$/m);
    terminal.press('q');
    await restored(terminal);
  });

  test('is steered by keys', async (t) => {
    await chatter(t, node);
    const terminal = await start(t, '--interval 5 --sort mailbox');
    await terminal.shows(/[^▼]messages\/s +▼mailbox/);
    terminal.press('s');
    await terminal.shows(/▼messages\/s +mailbox/);
    terminal.press('m');
    await terminal.shows(/▼mailbox/);
    terminal.press('+', '+', '+', '+', '+');
    await terminal.shows(/ every 60 s/);
    // Keys that mean nothing.
    terminal.press('x', 'Up', 'F5');
    terminal.press('-');
    await terminal.shows(/ every 30 s/);
    terminal.press('-', '-', '-', '-', '-', '-', '-');
    await terminal.shows(/ every 0\.5 s/);
    terminal.press('n');
    await terminal.shows(/^hive@127\.0\.0\.1 is ready/);
    terminal.press('c');
    await terminal.shows(/^the cluster: 1 node, 1 ready/);
    terminal.press('C-c');
    await restored(terminal);
  });

  test('fits the terminal, whatever its size becomes', async (t) => {
    await chatter(t, node);
    const terminal = await start(t);
    for (const [columns, rows] of [
      [40, 8],
      [150, 40],
      [20, 2],
      [100, 25],
    ] as const) {
      terminal.resize(columns, rows);
      const fits = (): boolean => {
        const lines = terminal.screen.replace(/\n$/, '').split('\n');
        const [first = '', last = ''] = [lines[0], lines[rows - 1]];
        const cut = columns > 60 || first.endsWith('…');
        return cut && first.startsWith('hive@127.0.0.1 is') && last.startsWith(' q quit') && lines.length === rows;
      };
      await eventually(fits, `a frame of ${columns} × ${rows}`).catch(() => assert.fail(terminal.screen));
    }
    terminal.press('q');
    await restored(terminal);
  });

  test('gives the terminal back when it is suspended or told to end', async (t) => {
    const terminal = new Terminal(t, 120, 30);
    await terminal.type(command(node));
    await terminal.shows(/is ready, up \d/);
    terminal.press('C-z');
    await terminal.shows(/Stopped|Suspended|suspended/);
    assert.deepEqual(terminal.modes, { alternate: false, cursor: true, wraps: true });
    await terminal.type('fg');
    await terminal.shows(/is ready, up \d/);
    assert.equal(terminal.modes.alternate, true);
    terminal.press('C-z');
    await terminal.shows(/(?:Stopped|uspended)[\s\S]*(?:Stopped|uspended)/);
    await terminal.type('kill -TERM %1; fg; echo "code $?"');
    await terminal.shows(/^code 0$/m);
    assert.deepEqual(terminal.modes, { alternate: false, cursor: true, wraps: true });
  });

  test('without a terminal prints one look as plain text', async (t) => {
    await chatter(t, node);
    for (const options of [[], ['--once'], ['--sort', 'mailbox']]) {
      const { code, stdout, stderr } = await hive(['top', '--config', join(node.directory, 'hive.json'), ...options]);
      assert.deepEqual([code, stderr], [0, '']);
      assert.ok(!stdout.includes('\x1b'));
      assert.match(stdout, /^hive@127\.0\.0\.1 is ready, up /);
      assert.match(stdout, /^events {6}[1-9]/m);
      assert.match(stdout, /hive_client_sup\//);
    }
    const [port] = await freePorts(1);
    const url = `http://127.0.0.1:${port}`;
    const { code, stdout, stderr } = await hive(['top', '--url', url, '--key', 'a key of no use']);
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(
      stderr,
      /^hive top: Nothing answers at http:\S+ \(--url\): connection refused\. Is the node running\?\n$/,
    );
    for (const interval of ['0.1', 'often', '61']) {
      assert.match((await hive(['top', '--interval', interval])).stderr, /It must be from 0\.5 to 60/);
    }
  });

  test('hive tree cuts its lines to the width of the terminal', async (t) => {
    const terminal = new Terminal(t, 60, 20);
    await terminal.shows(/^ready>/m);
    await terminal.type(command(node, 'tree', '--depth', '1'));
    const screen = await terminal.shows(/^└─ hive_sup/m);
    const lines = screen.split('\n').filter((line) => /hive_(?:root|env)?_?sup </.test(line));
    assert.deepEqual(
      lines.map((line) => [line.length, line.at(-1)]),
      [
        [60, '…'],
        [60, '…'],
        [60, '…'],
      ],
    );
  });
});

test('hive top goes on when its node ends and comes back', { skip }, async (t) => {
  const node = await DefaultNode.start();
  t.after(() => node.stop());
  const terminal = new Terminal(t, 120, 30);
  await terminal.type(`${command(node)} --interval 0.5`);
  await terminal.shows(/^hive@127\.0\.0\.1 is ready/);
  await node.process.stop();
  await terminal.shows(/^Nothing answers at .*connection refused.*\nhive@127\.0\.0\.1 is ready/);
  const again = await HiveProcess.run(join(node.directory, 'hive.json'));
  t.after(() => again.stop());
  await terminal.shows(/^hive@127\.0\.0\.1 is ready, up \d s/);
  terminal.press('q');
  await terminal.shows(/^ready>$/m);
});

test('hive top shows a cluster, and one node of it after the other', { skip }, async (t) => {
  const [epmd] = await freePorts(1);
  const names = ['one@127.0.0.1', 'two@127.0.0.1'];
  const start = (name: string) =>
    DefaultNode.start((config) => {
      Object.assign(config.hive!, { name, epmd_port: epmd, cluster_nodes: names.filter((other) => other !== name) });
    });
  const [one, two] = (await Promise.all(names.map(start))) as [DefaultNode, DefaultNode];
  t.after(() => Promise.all([one.stop(), two.stop()]));
  await eventually(async () => (await metric(one, 'hive.cluster.size')) === 2, 'a cluster of two');
  await chatter(t, two);
  const terminal = new Terminal(t, 120, 30);
  await terminal.type(`${command(one)} --cluster --interval 1`);
  const screen = await terminal.shows(/^events {6}[1-9]/m);
  assert.match(screen, /^the cluster: 2 nodes, 2 ready/);
  assert.match(
    screen,
    /^ *status +clients +events\/s .* node\n +ready +0 .* one@127\.0\.0\.1\n +ready +1 .* two@127\.0\.0\.1$/m,
  );
  assert.match(screen, /<two@127\.0\.0\.1\.\d+\.0> hive_sup\/hive_router_sup\/hive_client_sup\//);
  terminal.press('n');
  assert.doesNotMatch(await terminal.shows(/^one@127\.0\.0\.1 is ready/), /<two@/);
  terminal.press('n');
  await terminal.shows(/^two@127\.0\.0\.1 is ready[\s\S]*^clients {5}1:/m);
  await two.process.stop('SIGKILL');
  await terminal.shows(/^two@127\.0\.0\.1 does not answer\./);
  terminal.press('c');
  await terminal.shows(
    /^the cluster: 1 node, 0 ready\s+one@127\.0\.0\.1: two@127\.0\.0\.1 is not connected|missing: two/m,
  );
  terminal.press('q');
  await terminal.shows(/^ready>$/m);
});

function command(node: DefaultNode, ...args: string[]): string {
  const [name = 'top', ...options] = args;
  return `"${process.execPath}" "${program}" ${name} --config ${join(node.directory, 'hive.json')} ${options.join(' ')}`;
}
