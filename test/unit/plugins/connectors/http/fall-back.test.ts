/**
 * undici's parser is no public part of it: where it is not found, undici's own client does the work, and the log says so.
 * The parser is loaded once per process: this file needs its own process.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Module from 'node:module';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { startConnectors } from '../../../../support/connectors.ts';

test('without the parser of undici its client makes the requests', async (t) => {
  const server = createServer((request, response) => response.end(request.url)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const connectors = await startConnectors();
  t.after(async () => {
    await connectors.close();
    server.closeAllConnections();
    server.close();
  });
  const loader = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string };
  const resolve = loader._resolveFilename;
  t.mock.method(loader, '_resolveFilename', (request: string, ...rest: unknown[]) => {
    if (request.startsWith('undici/lib/')) throw new Error(`Cannot find module '${request}'`);
    return resolve.call(loader, request, ...rest);
  });
  const base_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const args = { base_url, max_connection_timeout: 2000 };
  await connectors.pools.start('moved', { connector: 'connector.http', size: 1, overflow: 0, args });
  assert.deepEqual(await connectors.pools.get('moved').request({ method: 'GET', endpoint: '/a' }), {
    status: 200,
    body: '/a',
  });
  assert.deepEqual(connectors.warnings, [
    "Pool moved: the fast client cannot be used, undici is: Cannot find module 'undici/lib/llhttp/llhttp-wasm.js'",
  ]);
});
