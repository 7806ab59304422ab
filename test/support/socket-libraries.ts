/** Tests that hold for every socket library that can be loaded here. */

import { type TestContext, test } from 'node:test';
import { HiveError } from '../../src/observe/errors.ts';
import { closeServer } from '../../src/web/http/http.ts';
import { chooseSockets, type LibraryName } from '../../src/web/sockets/choice.ts';
import type { SocketApp, SocketBehavior, SocketLibrary, TlsFiles } from '../../src/web/sockets/types.ts';
import { TcpClient } from './tcp-client.ts';

const libraries = new Map<LibraryName, SocketLibrary>();
for (const name of ['official', '20.57', '20.30', 'node'] as const) {
  try {
    libraries.set(name, chooseSockets({ forced: name }).library);
  } catch (error) {
    if (!(error instanceof HiveError && error.code === 'sockets_unavailable')) throw error;
  }
}

/** Those that `HIVE_SOCKETS` can force here. */
export const loadable: readonly LibraryName[] = [...libraries.keys()];

type Run = (t: TestContext, library: SocketLibrary) => Promise<void>;

export function testLibraries(title: string, run: Run): void {
  for (const [name, library] of libraries) test(`${name}: ${title}`, (t) => run(t, library));
}

/** What only our own adapter does. */
export function testAdapter(title: string, run: Run): void {
  test(`node: ${title}`, (t) => run(t, libraries.get('node')!));
}

/** Starts a server and gives a way to connect to it. */
export async function serve(
  t: TestContext,
  library: SocketLibrary,
  setUp: (app: SocketApp) => void,
  tls?: TlsFiles,
): Promise<{ app: SocketApp; port: number; connect(): TcpClient }> {
  const app = library.createApp(tls);
  setUp(app);
  const listening = await app.listen('127.0.0.1', 0);
  const { port } = listening;
  const clients: TcpClient[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    await closeServer(app, listening);
  });
  const connect = () => {
    const client = new TcpClient(port);
    clients.push(client);
    return client;
  };
  return { app, port, connect };
}

/** Accepts every socket and does nothing, but for what is given. */
export function behavior(parts: Partial<SocketBehavior<object>> = {}): SocketBehavior<object> {
  return {
    maxPayloadLength: 1000,
    maxBackpressure: 1_000_000,
    compression: false,
    upgrade: (res, req, context) => {
      const key = req.getHeader('sec-websocket-key');
      const extensions = req.getHeader('sec-websocket-extensions');
      res.cork(() => res.upgrade({}, key, '', extensions, context));
    },
    open: () => {},
    message: () => {},
    ping: () => {},
    pong: () => {},
    drain: () => {},
    close: () => {},
    ...parts,
  };
}

export const echoing: Partial<SocketBehavior<object>> = {
  message: (socket, data, isBinary) => {
    socket.send(data, isBinary);
  },
};
