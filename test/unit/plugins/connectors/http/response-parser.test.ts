import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HttpResponseParser, maxAtOnce } from '../../../../../src/plugins/connectors/http/response-parser.ts';

const buffer = Buffer.alloc(maxAtOnce);

function bodyOf(parser: HttpResponseParser): string {
  return Buffer.concat(parser.takeBody()).toString();
}

/** Gives the parser a text, all at once or in pieces, always through the same buffer, as a connection does. */
function feed(parser: HttpResponseParser, text: string, size = text.length) {
  let isComplete = false;
  for (let at = 0; at < text.length; at += size) {
    const length = buffer.write(text.slice(at, at + size), 'latin1');
    isComplete = parser.read(buffer.subarray(0, length));
  }
  return {
    isComplete,
    status: parser.status,
    body: isComplete ? bodyOf(parser) : '',
    keeps: parser.keepsConnection,
  };
}

function parsed(text: string, { max = 1000, size }: { max?: number; size?: number } = {}) {
  const parser = new HttpResponseParser(max);
  try {
    return feed(parser, text, size);
  } finally {
    parser[Symbol.dispose]();
  }
}

const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const chunked = `${head('HTTP/1.1 201 Created', 'Transfer-Encoding: chunked', 'X: y')}5\r\nhello\r\n3;a=b\r\n, y\r\n2\r\nou\r\n0\r\nZ: z\r\n\r\n`;

test('an answer is the same however its bytes are cut', () => {
  const answers = {
    [`${head('HTTP/1.1 200 OK', 'Content-Length: 5')}hello`]: { status: 200, body: 'hello', keeps: true },
    [chunked]: { status: 201, body: 'hello, you', keeps: true },
    [head('HTTP/1.1 204 No Content')]: { status: 204, body: '', keeps: true },
    [`${head('HTTP/1.1 500 No', 'connection: close', 'content-length: 2')}no`]: {
      status: 500,
      body: 'no',
      keeps: false,
    },
    [`${head('HTTP/1.0 200 OK', 'content-length: 2')}ok`]: { status: 200, body: 'ok', keeps: false },
    [`${head('HTTP/1.1 103 Early')}${head('HTTP/1.1 100 Continue')}${head('HTTP/1.1 200 OK', 'content-length: 1')}x`]: {
      status: 200,
      body: 'x',
      keeps: true,
    },
  };
  for (const [text, expected] of Object.entries(answers)) {
    for (let size = 1; size <= text.length; size += 1) {
      assert.deepEqual(parsed(text, { size }), { isComplete: true, ...expected }, `${JSON.stringify(text)} by ${size}`);
    }
  }
});

test('one parser reads one answer after the other', () => {
  const parser = new HttpResponseParser(5);
  for (const body of ['first', 'again', '']) {
    const text = `${head('HTTP/1.1 200 OK', `Content-Length: ${body.length}`)}${body}`;
    assert.deepEqual(feed(parser, text), { isComplete: true, status: 200, body, keeps: true });
  }
  parser[Symbol.dispose]();
});

test('a body without a length ends with the connection, and only such a one', () => {
  const parser = new HttpResponseParser(1000);
  assert.equal(feed(parser, `${head('HTTP/1.1 200 OK')}all of`).isComplete, false);
  feed(parser, ' it');
  assert.equal(parser.finish(), true);
  assert.equal(bodyOf(parser), 'all of it');
  assert.equal(parser.keepsConnection, false);
  parser[Symbol.dispose]();
  for (const text of ['', 'HTTP/1.1 200 OK\r\n', `${head('HTTP/1.1 200 OK', 'Content-Length: 5')}hell`]) {
    const cut = new HttpResponseParser(1000);
    feed(cut, text);
    assert.equal(cut.finish(), false, JSON.stringify(text));
    cut[Symbol.dispose]();
  }
});

test('bytes behind an answer spoil the connection, not the answer', () => {
  const text = `${head('HTTP/1.1 200 OK', 'Content-Length: 2')}ok`;
  assert.deepEqual(parsed(`${text}HTTP/1.1 200 `), { isComplete: true, status: 200, body: 'ok', keeps: false });
});

test('the server says how long it keeps the connection', () => {
  const answer = (...lines: string[]) => head('HTTP/1.1 200 OK', 'Content-Length: 0', ...lines);
  const expected = [
    ['Keep-Alive: timeout=5', 5],
    ['KEEP-ALIVE: max=100, timeout=7', 7],
    ['Keep-Alives: timeout=5', undefined],
    ['X-Long-Name: 1', undefined],
  ] as const;
  for (const size of [1, 7, 1000]) {
    const parser = new HttpResponseParser(1000);
    for (const [line, seconds] of expected) {
      feed(parser, answer(line, 'A: b'), size);
      assert.equal(parser.keepsSeconds, seconds, `${line} by ${size}`);
    }
    parser[Symbol.dispose]();
  }
});

test('what is no HTTP answer is an error that says why', () => {
  const faults: Record<string, RegExp> = {
    '220 mail.example ESMTP\r\n': /not HTTP\/1\.1: Expected HTTP\//,
    [`${head('HTTP/1.1 200 OK', 'Content-Length: x')}`]: /not HTTP\/1\.1: .*Content-Length/i,
    [`${head('HTTP/1.1 200 OK', 'Content-Length: 1', 'Content-Length: 2')}`]: /not HTTP\/1\.1: .*Content-Length/i,
    [`${head('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')}zz\r\n`]: /not HTTP\/1\.1: .*chunk size/i,
    [head('HTTP/1.1 101 Switching', 'Connection: upgrade', 'Upgrade: x')]: /another one than HTTP/,
    [head('HTTP/1.1 200 OK', `A: ${'b'.repeat(20_000)}`)]: /headers exceed the size of 16384 bytes/,
    [`${head('HTTP/1.1 200 OK', 'Content-Length: 1001')}${'x'.repeat(1001)}`]: /body exceeds the size of 1000 bytes/,
  };
  for (const [text, message] of Object.entries(faults)) {
    assert.throws(() => parsed(text), { message }, text.slice(0, 60));
    assert.throws(() => parsed(text, { size: 3 }), { message }, text.slice(0, 60));
  }
});

test('many parsers read at the same time', () => {
  const parsers = Array.from({ length: 5000 }, () => new HttpResponseParser(1000));
  for (const [index, parser] of parsers.entries()) feed(parser, `HTTP/1.1 ${200 + (index % 4)} OK\r\nContent-`);
  for (const [index, parser] of parsers.entries()) {
    const body = `${index}`;
    const answer = feed(parser, `Length: ${body.length}\r\n\r\n${body}`);
    assert.deepEqual(answer, { isComplete: true, status: 200 + (index % 4), body, keeps: true });
    parser[Symbol.dispose]();
  }
});
