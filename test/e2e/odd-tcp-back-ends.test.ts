/** TCP back ends that behave oddly, behind a running node: whoever asked gets the right answer or an error, never another's answer. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { encodeFrame } from '../../src/protocol/backend/framing.ts';
import { DefaultNode } from '../support/default-node.ts';
import type { Failure } from '../support/operator.ts';
import { SocketClient } from '../support/socket-clients.ts';
import { type TcpBackEnd, TcpBackEndServer } from '../support/tcp-back-end.ts';

/** An order that the client sees performed: an event with that number. */
const order = (n: unknown) => JSON.stringify({ action: 'send', args: { name: 'quoted', args: [n, '€'] } });
const numberIn = (payload: string) => (JSON.parse(payload) as { trigger: { args: [number] } }).trigger.args[0];

type Manner = (connection: TcpBackEnd, n: number) => void | Promise<void>;

async function piecemeal({ socket }: TcpBackEnd, frame: Buffer, length = frame.length): Promise<void> {
  for (let at = 0; at < length; at += 1) {
    socket.write(frame.subarray(at, at + 1));
    await new Promise(setImmediate);
  }
}

/** `more`: it has sent something that nobody had asked for yet. */
const manners: Record<string, { manner: Manner; error?: string; more?: boolean }> = {
  'answers byte by byte': { manner: (connection, n) => piecemeal(connection, encodeFrame('quote', order(n))) },
  'sends another frame with its answer': {
    manner: ({ socket }, n) =>
      void socket.write(Buffer.concat([encodeFrame('quote', order(n)), encodeFrame('news', order(-n))])),
    more: true,
  },
  'answers too late': {
    manner: (connection, n) => void connection.socket.once('end', () => connection.send('quote', order(n))),
    error: 'tcp_error',
  },
  'sends half a frame and no more': {
    manner: (connection, n) => piecemeal(connection, encodeFrame('quote', order(n)), 20),
    error: 'tcp_error',
  },
  'dies in the middle of a frame': {
    manner: ({ socket }, n) => void socket.end(encodeFrame('quote', order(n)).subarray(0, 20)),
    error: 'tcp_error',
  },
  'is reset in the middle of a frame': {
    manner: ({ socket }, n) =>
      void socket.write(encodeFrame('quote', order(n)).subarray(0, 20), () => socket.resetAndDestroy()),
    error: 'tcp_error',
  },
  'answers something else': {
    manner: (connection, n) => connection.send('other', order(n)),
    error: 'tcp_error',
  },
};

describe('a TCP back end that', () => {
  let manner: Manner;
  const wellMannered: Manner = (connection, n) => connection.send('quote', order(n));
  const server = new TcpBackEndServer((connection) => {
    connection.answer = ({ payload }) => void manner(connection, numberIn(payload));
  });
  let node: DefaultNode;
  let client: SocketClient;
  let asked = 0;

  before(async () => {
    const port = await server.listen();
    node = await DefaultNode.start((config) => {
      config.hive!.mode = 'development';
      const args = { host: '127.0.0.1', port, restart_timeout: 0, max_connection_timeout: 400 };
      config.connectors!.pools = { tcp: { connector: 'connector.tcp', size: 1, overflow: 1, args } };
      const hook = (name: string, endpoint: string) => [{ hook: name, args: { connector: 'tcp', endpoint } }];
      Object.assign(config.clients!.hooks as object, { quote: hook('hp.post', 'quote'), news: hook('hp.get', 'news') });
    });
    client = await SocketClient.connect('4.8 websocket', node.url);
  });
  after(async () => {
    await client?.disconnect();
    await node?.stop();
    server.close();
  });

  /** What the client hears next: the number of an answer, or the code of an error. */
  async function quote(): Promise<unknown> {
    asked += 1;
    const before = client.received.length;
    client.emit('quote', asked);
    await client.until(() => client.received.length > before, 'what came of it');
    const { name, args } = client.received[before]!;
    return name === 'quoted' ? args[0] : (args[0] as Failure).error;
  }

  for (const [title, { manner: odd, error, more = false }] of Object.entries(manners)) {
    test(`${title}: ${error ?? 'the answer'}`, async () => {
      manner = odd;
      assert.equal(await quote(), error ?? asked);
      manner = wellMannered;
      for (let i = 0; i < 3; i += 1) assert.equal(await quote(), asked);
      if (!more) return;
      const told = client.nextEvent<number>('quoted');
      client.emit('news');
      assert.equal(await told, 3 - asked);
    });
  }
});
