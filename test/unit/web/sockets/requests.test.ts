import assert from 'node:assert/strict';
import type { SocketApp } from '../../../../src/web/sockets/types.ts';
import { eventually } from '../../../support/eventually.ts';
import { serve, testAdapter, testLibraries } from '../../../support/socket-libraries.ts';

/** Tells what was asked for. */
function mirror(app: SocketApp): void {
  app.any('/*', (res, req) => {
    const headers: string[] = [];
    req.forEach((name, value) => {
      if (name.startsWith('x-')) headers.push(`${name}=${value}`);
    });
    const parts = [req.getMethod(), req.getUrl(), req.getQuery() ?? '', req.getQuery('a') ?? '', ...headers];
    res.cork(() => {
      res.writeStatus('203 Told');
      res.writeHeader('X-Asked', parts.join('|'));
      if (req.getMethod() === 'head') {
        res.writeHeader('Content-Length', '4');
        res.endWithoutBody();
      } else {
        res.end('body');
      }
    });
  });
}

/** Answers with the number of bytes of a body. */
function count(app: SocketApp): void {
  app.post('/*', (res) => {
    let bytes = 0;
    res.onAborted(() => {});
    res.onData((chunk, isLast) => {
      bytes += chunk.byteLength;
      if (isLast) res.end(`${bytes} bytes`);
    });
  });
  app.any('/*', (res) => res.end('no post'));
}

testLibraries('a request and its answer have all their parts', async (t, library) => {
  const { connect } = await serve(t, library, mirror);
  const client = connect().send('GET /a/b?a=1%202&b=3 HTTP/1.1\r\nHost: x\r\nX-One: 1\r\nx-two: 2\r\n\r\n');
  const answer = await client.until(/body$/);
  assert.match(answer, /^HTTP\/1\.1 203 Told\r\n/);
  assert.match(answer, /\r\nX-Asked: get\|\/a\/b\|a=1%202&b=3\|1 2\|x-one=1\|x-two=2\r\n/);
  assert.match(answer, /\r\nContent-Length: 4\r\n/i);
});

testLibraries(
  'requests of one connection are answered in order, whether they wait for each other or not',
  async (t, library) => {
    const { connect } = await serve(t, library, (app) => app.any('/*', (res, req) => res.end(req.getUrl())));
    const client = connect();
    client.send(
      'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n',
    );
    const answers = await client.until(/\/3$/);
    assert.deepEqual(answers.match(/^\/\d/gm), ['/1', '/2', '/3'].map(String));
    client.send('GET /4 HTTP/1.1\r\nHost: x\r\n\r\n');
    await client.until(/\/4$/);
  },
);

testLibraries('the answer to HEAD has no body, and that to the next request follows', async (t, library) => {
  const { connect } = await serve(t, library, mirror);
  const client = connect().send('HEAD /1 HTTP/1.1\r\nHost: x\r\n\r\n');
  const head = await client.until(/\r\n\r\n$/);
  assert.match(head, /X-Asked: head\|\/1\|/);
  assert.match(head, /\r\nContent-Length: 4\r\n/i);
  client.send('GET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await client.until(/body$/), /X-Asked: get\|\/2\|/);
});

testLibraries('bodies come whole, of known length or in chunks, small or large', async (t, library) => {
  const { connect } = await serve(t, library, count);
  const client = connect();
  const post = 'POST / HTTP/1.1\r\nHost: x\r\n';
  client.send(`${post}Content-Length: 5\r\n\r\nhello`);
  await client.until(/\r\n5 bytes$/);
  client.send(`${post}Content-Length: 0\r\n\r\n`);
  await client.until(/\r\n0 bytes$/);
  client.send(`${post}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n`);
  await client.until(/\r\n11 bytes$/);
  client.send(`${post}Content-Length: 3000000\r\n\r\n`).send(Buffer.alloc(3_000_000, 'x'));
  await client.until(/\r\n3000000 bytes$/);
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.until(/no post$/);
});

testLibraries('a request whose client goes away is aborted once, and not touched any more', async (t, library) => {
  let begun = 0;
  let aborted = 0;
  const { connect } = await serve(t, library, (app) =>
    app.any('/*', (res) => {
      begun += 1;
      res.onAborted(() => {
        aborted += 1;
      });
    }),
  );
  const client = connect().send('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => begun === 1, 'the request');
  client.destroy();
  await eventually(() => aborted === 1, 'its end');
});

testLibraries('a request that was answered is not aborted', async (t, library) => {
  const ends: string[] = [];
  const { connect } = await serve(t, library, (app) =>
    app.any('/*', (res, req) => {
      const url = req.getUrl();
      res.onAborted(() => {
        ends.push(url);
      });
      if (url === '/answered') setImmediate(() => res.cork(() => res.end('later')));
    }),
  );
  const client = connect().send('GET /answered HTTP/1.1\r\nHost: x\r\n\r\n');
  await client.until(/later$/);
  client.send('GET /waiting HTTP/1.1\r\nHost: x\r\n\r\n');
  client.socket.end();
  await eventually(() => ends.length > 0, 'the end of the connection');
  assert.deepEqual(ends, ['/waiting']);
});

testLibraries('the client’s address is told', async (t, library) => {
  const { connect } = await serve(t, library, (app) =>
    app.any('/*', (res) => res.end(Buffer.from(res.getRemoteAddressAsText()).toString())),
  );
  await connect()
    .send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    .until(/\r\n127\.0\.0\.1$/);
});

testAdapter('requests of HTTP/1.0 are answered, and the connection closed', async (t, library) => {
  const { connect } = await serve(t, library, mirror);
  const answer = await connect().send('GET /old HTTP/1.0\r\n\r\n').closed();
  assert.match(answer, /X-Asked: get\|\/old\|[\s\S]*body$/);
});

testAdapter('a URL that proxies have put into the request is understood', async (t, library) => {
  const { connect } = await serve(t, library, mirror);
  const client = connect().send('GET http://any.example/a?b HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await client.until(/body$/), /X-Asked: get\|\/a\|b\|/);
  client.send('GET http://any.example HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(await client.until(/body[\s\S]*body$/), /X-Asked: get\|\/\|\|/);
});

testAdapter('a client that asks before it sends its body is told to go on', async (t, library) => {
  const { connect } = await serve(t, library, count);
  const client = connect();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n');
  await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  client.send('hello');
  await client.until(/5 bytes$/);
});

testAdapter('all requests that wait on a connection are aborted with it', async (t, library) => {
  const aborted: string[] = [];
  let begun = 0;
  const { connect } = await serve(t, library, (app) =>
    app.any('/*', (res, req) => {
      const url = req.getUrl();
      begun += 1;
      res.onAborted(() => {
        aborted.push(url);
      });
    }),
  );
  const client = connect().send('GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n');
  await eventually(() => begun === 2, 'both');
  client.destroy();
  await eventually(() => aborted.length === 2, 'both ends');
  assert.deepEqual(aborted, ['/1', '/2']);
});

testAdapter('a client that goes on asking while it gets no answers loses its connection', async (t, library) => {
  let waiting = 0;
  const { connect } = await serve(t, library, (app) =>
    app.any('/*', (res) => {
      waiting += 1;
      res.onAborted(() => {
        waiting -= 1;
      });
    }),
  );
  const client = connect();
  const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
  client.send(request.repeat(900));
  await eventually(() => waiting === 900, 'the first requests');
  client.send(request.repeat(200));
  await client.closed();
  await eventually(() => waiting === 0, 'the end of all');
});
