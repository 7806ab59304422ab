/** The PROXY protocol on Node's own sockets: whom a connection names, and that nothing of what follows is lost. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { nodeLibrary } from '../../../../../src/web/sockets/node/library.ts';
import { headOf } from '../../../../../src/web/sockets/node/proxy-header.ts';
import type { Listening, SocketApp } from '../../../../../src/web/sockets/types.ts';
import { fc } from '../../../../support/properties.ts';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const version2 = (command: number, family: number, rest: readonly number[]) =>
  Buffer.concat([
    signature,
    Buffer.of(0x20 | command, (family << 4) | 1, rest.length >> 8, rest.length & 255, ...rest),
  ]);
const v4 = [203, 0, 113, 5, 127, 0, 0, 1, 0x12, 0x67, 0, 80];
const v6 = [0x20, 1, 0x0d, 0xb8, ...new Array<number>(11).fill(0), 1, ...new Array<number>(16).fill(0), 0, 1, 0, 80];

const heads: readonly [name: string, bytes: Buffer, from: string | undefined][] = [
  ['no head', Buffer.alloc(0), undefined],
  ['version 1', Buffer.from('PROXY TCP4 203.0.113.5 10.0.0.1 56324 443\r\n'), '203.0.113.5'],
  ['version 1, IPv6', Buffer.from('PROXY TCP6 2001:db8::5 ::1 56324 443\r\n'), '2001:db8::5'],
  ['version 1, unknown', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['version 2', version2(1, 1, v4), '203.0.113.5'],
  ['version 2, IPv6', version2(1, 2, v6), '2001:db8:0:0:0:0:0:1'],
  ['version 2 with more behind the addresses', version2(1, 1, [...v4, 4, 0, 1, 7]), '203.0.113.5'],
  ['version 2, the proxy itself', version2(0, 0, []), undefined],
  ['version 2, a Unix socket', version2(1, 3, new Array<number>(216).fill(0)), undefined],
];

test('a head is read when it is whole, and not before', () => {
  for (const [name, bytes, from] of heads) {
    assert.deepEqual(
      headOf(Buffer.concat([bytes, Buffer.from('GET / HTTP/1.1')])),
      { length: bytes.length, from },
      name,
    );
    for (let end = 0; end < bytes.length; end += 1)
      assert.equal(headOf(bytes.subarray(0, end)), end === 0 ? headOf(Buffer.alloc(0)) : 'incomplete', name);
  }
});

test('a malformed head is told apart from none, whatever it holds', () => {
  for (const text of ['PROXY \r\n', 'PROXY TCP4 1.2.3.4\r\n', 'PROXY HTTP a b c d\r\n', `PROXY ${'x'.repeat(120)}`]) {
    assert.equal(headOf(Buffer.from(text)), 'malformed', text);
  }
  assert.equal(headOf(version2(2, 1, v4)), 'malformed');
  assert.equal(headOf(version2(1, 1, [1, 2, 3])), 'malformed');
  assert.equal(headOf(Buffer.concat([signature, Buffer.of(0x21, 0x11, 0xff, 0xff)])), 'malformed');
  for (const text of ['PROPFIND / HTTP/1.1', 'POST / HTTP/1.1', 'GET']) {
    assert.deepEqual(headOf(Buffer.from(text)), { length: 0, from: undefined }, text);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (rest) => {
      const head = headOf(Buffer.concat([signature, rest]));
      assert.ok(typeof head === 'string' || head.length >= 16);
    }),
  );
});

describe('a server whose connections may be proxied', () => {
  let app: SocketApp;
  let listening: Listening;
  before(async () => {
    app = nodeLibrary().createApp(undefined, true);
    app.any('/*', (res) => {
      const from = Buffer.from(res.getProxiedRemoteAddressAsText!()).toString();
      res.writeStatus('200 OK');
      res.end(from || 'nobody', true);
    });
    listening = await app.listen('127.0.0.1', 0);
  });
  after(() => {
    listening.stop();
    app.close();
  });

  const request = Buffer.from('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

  async function answer(...parts: readonly Buffer[]): Promise<string> {
    const socket = connect(listening.port, '127.0.0.1').setNoDelay();
    await once(socket, 'connect');
    const answered = text(socket);
    for (const part of parts) {
      socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return (await answered).split('\r\n\r\n')[1] ?? '';
  }

  for (const [name, bytes, from = 'nobody'] of heads) {
    test(`answers behind ${name}, in one piece and byte by byte`, async () => {
      assert.equal(await answer(Buffer.concat([bytes, request])), from);
      assert.equal(await answer(...Array.from(bytes, (byte) => Buffer.of(byte)), request), from);
    });
  }

  test('closes a connection with a malformed head', async () => {
    assert.equal(await answer(Buffer.from('PROXY TCP4 nonsense\r\n'), request), '');
  });

  test('closes what never sends a whole head when it ends', async () => {
    const socket = connect(listening.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end('PROXY TCP4');
    await text(socket);
  });
});
