/**
 * 10,000 handshakes of 0.9 in two seconds from one address took all slots of a node: nothing was counted per address.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { FloodLog } from '../../src/observe/floods.ts';
import { type Log, silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { AddressLimits } from '../../src/web/client/address-limits.ts';
import { clientCounters } from '../../src/web/client/counters.ts';
import { startTestServer } from '../support/client-server.ts';
import { DefaultNode } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { RawSocket, request } from '../support/raw-client.ts';
import { startRelayPair } from '../support/relay-pair.ts';
import { title } from '../support/sockets.ts';

const limitsOf = (connections: number, handshakes: number, log = silent) => {
  const settings = { max_connections_per_address: connections, max_handshakes_per_address: handshakes };
  return AddressLimits.of(settings, clientCounters(new Metrics()), log);
};

test('where nothing is limited, nobody counts', () => {
  assert.equal(limitsOf(0, 0), undefined);
});

test('handshakes are counted by the second, for each IPv4 address and each /64 of IPv6', () => {
  const limits = limitsOf(0, 2)!;
  const admits = (address: string, now: number) => limits.refusal(address, now) === undefined;
  assert.deepEqual(
    [1000, 1100, 1200, 1999].map((now) => admits('192.0.2.1', now)),
    [true, true, false, false],
  );
  assert.ok(admits('192.0.2.2', 1999));
  assert.deepEqual(
    ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::1', '2001:db8:0:1::1'].map((address) => admits(address, 1999)),
    [true, true, false, true],
  );
  assert.deepEqual(
    [2000, 2001, 2002].map((now) => admits('192.0.2.1', now)),
    [true, true, false],
  );
});

test('whoever has very many addresses fills no memory, and is counted as one', () => {
  const limits = limitsOf(0, 3)!;
  let admitted = 0;
  for (let n = 0; n < 200_000; n += 1) if (!limits.refusal(`source ${n}`, 1000)) admitted += 1;
  assert.equal(admitted, 100_003);
  assert.equal(limits.refusal('source 200000', 2000), undefined);
});

test('refusals are logged at a bounded rate', () => {
  const lines: unknown[] = [];
  const floods = new FloodLog();
  const log: Log = {
    ...silent,
    warning: (_message, fields) => lines.push(fields),
    excess: (kind, source) => floods.excess(silent, kind, source, 'warning'),
  };
  const limits = limitsOf(0, 1, log)!;
  for (let n = 0; n < 1000; n += 1) limits.refusal('192.0.2.1', 1000);
  assert.equal(lines.length, 50);
  assert.deepEqual(lines[0], { address: '192.0.2.1', limit: 'hive.max_handshakes_per_address, 1 per second' });
});

const handshakes = {
  '0.9': (url: string, headers = {}) => request(`${url}/socket.io/1/`, { headers }),
  'Engine.IO 3': (url: string, headers = {}) => request(`${url}/socket.io/?EIO=3&transport=polling`, { headers }),
  'Engine.IO 4': (url: string, headers = {}) => request(`${url}/socket.io/?EIO=4&transport=polling`, { headers }),
};

describe('connections of an address', () => {
  for (const [protocol, handshake] of Object.entries(handshakes)) {
    test(`are limited over ${protocol}`, async () => {
      const server = await startTestServer({
        hive: { max_connections_per_address: 2, trusted_proxies: ['127.0.0.1'] },
      });
      try {
        const first = await handshake(server.url);
        assert.equal((await handshake(server.url)).status, 200);
        const refused = await handshake(server.url);
        assert.deepEqual([refused.status, JSON.parse(refused.body).error], [429, 'too_many_requests']);
        assert.equal(refused.headers.get('retry-after'), '10');
        assert.equal(server.metrics.counter('clients.transports.too_many_connections').value, 1);
        const socket = new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`);
        await socket.closed();
        assert.deepEqual(socket.messages, []);
        const elsewhere = { 'X-Forwarded-For': '203.0.113.5' };
        assert.equal((await handshake(server.url, elsewhere)).status, 200);
        // One leaves.
        if (protocol === '0.9') {
          await request(`${server.url}/socket.io/1/xhr-polling/${first.body.split(':')[0]}?disconnect=1`);
        } else {
          const { sid } = JSON.parse(first.body.slice(first.body.indexOf('{'), first.body.indexOf('}') + 1));
          const version = protocol.at(-1);
          const url = `${server.url}/socket.io/?EIO=${version}&transport=polling&sid=${sid}`;
          await request(url, { method: 'POST', body: version === '3' ? '1:1' : '1' });
        }
        await eventually(async () => (await handshake(server.url)).status === 200, 'room for one');
        assert.equal((await handshake(server.url)).status, 429);
      } finally {
        await server.close();
      }
      assert.deepEqual(server.crashes, []);
    });
  }

  test('that could not be opened, and WebSockets that have closed, do not count', async () => {
    const server = await startTestServer({ hive: { max_connections_per_address: 1 } });
    try {
      server.host.onOpen = () => Promise.reject(new Error('a bug'));
      for (let n = 0; n < 3; n += 1) assert.equal((await handshakes['0.9'](server.url)).status, 500);
      server.host.onOpen = () => {};
      for (let n = 0; n < 3; n += 1) {
        const socket = new RawSocket(`${server.url}/socket.io/?EIO=4&transport=websocket`);
        assert.match(await socket.next(), /^0\{/);
        socket.close();
        await socket.closed();
      }
      await eventually(async () => (await handshakes['0.9'](server.url)).status === 200, 'the end of the last socket');
    } finally {
      await server.close();
    }
  });

  test('count at the node that owns them, by the address that the node with the socket has seen', async (t) => {
    const change = { hive: { max_connections_per_address: 1, trusted_proxies: ['127.0.0.1'] } };
    const { owner, entry } = await startRelayPair(t, change);
    const headers = { 'X-Forwarded-For': '203.0.113.5' };
    const { body } = await handshakes['Engine.IO 4'](owner.url, headers);
    const { sid } = JSON.parse(body.slice(1));
    assert.equal((await handshakes['Engine.IO 4'](owner.url, headers)).status, 429);
    const url = `${entry.url}/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    assert.equal((await request(url, { method: 'POST', body: '40', headers })).body, 'ok');
    assert.equal((await owner.server.host.session()).request.handshake.address, '203.0.113.5');
    assert.equal((await request(url, { method: 'POST', body: '1', headers })).body, 'ok');
    await eventually(async () => (await handshakes['Engine.IO 4'](owner.url, headers)).status === 200, 'room');
  });
});

test('back ends are told the address that a trusted proxy names, and others that of the socket', async () => {
  const headers = { 'X-Forwarded-For': '192.0.2.99, 203.0.113.5' };
  for (const [proxies, address] of [
    [['127.0.0.0/8'], '203.0.113.5'],
    [[], '127.0.0.1'],
  ] as const) {
    const server = await startTestServer({ hive: { trusted_proxies: [...proxies] } });
    try {
      await handshakes['0.9'](server.url, headers);
      assert.equal((await server.host.session()).request.handshake.address, address);
    } finally {
      await server.close();
    }
  }
});

test('version 2 of the PROXY protocol is believed of trusted proxies', async (t) => {
  if (!/ 20\.30\.|^node/i.test(title)) return t.skip(`these are the sockets of ${title}`);
  for (const [proxies, address] of [
    [['127.0.0.1'], '203.0.113.5'],
    [[], '127.0.0.1'],
  ] as const) {
    const server = await startTestServer({ hive: { trusted_proxies: [...proxies] } });
    const socket = connect(server.port, '127.0.0.1');
    try {
      const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
      const addresses = Buffer.of(0x21, 0x11, 0, 12, 203, 0, 113, 5, 127, 0, 0, 1, 0x12, 0x67, 0, 80);
      socket.write(Buffer.concat([signature, addresses, Buffer.from('GET /socket.io/1/ HTTP/1.1\r\nHost: x\r\n\r\n')]));
      // Node's own sockets know it only where a proxy is trusted.
      if (proxies.length === 0 && title.startsWith('node')) assert.match(await text(socket), /^HTTP\/1.1 400 /);
      else assert.equal((await server.host.session()).request.handshake.address, address);
    } finally {
      socket.destroy();
      await server.close();
    }
  }
});

test('a node gives one address its handshakes per second and answers 429 too_many_requests beyond', async () => {
  const node = await DefaultNode.start(({ hive }) => {
    hive!.max_handshakes_per_address = 5;
    hive!.trusted_proxies = ['127.0.0.1'];
  });
  try {
    const answers = await Promise.all(Array.from({ length: 200 }, () => handshakes['0.9'](node.url)));
    const refused = answers.filter(({ status }) => status === 429);
    // It may take more than one second.
    assert.ok(refused.length > 100, String(refused.length));
    assert.equal(JSON.parse(refused[0]!.body).error, 'too_many_requests');
    assert.equal(answers.filter(({ status }) => status === 200).length, 200 - refused.length);
    const other = await fetch(`${node.url}/socket.io/1/`, { headers: { Forwarded: 'for="[2001:db8::1]"' } });
    assert.equal(other.status, 200);
    const answer = await node.monitor('GET', 'clients.transports.too_many_handshakes');
    assert.match(await answer.text(), new RegExp(`\\b${refused.length}\\b`));
  } finally {
    await node.stop();
  }
});
