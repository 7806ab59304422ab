#!/usr/bin/env node
/**
 * The back end of the distributed chat once more, for Node alone: the same hooks, calls and page as `../backend/backend.py`, with
 * the same options. `hive demo` runs it, as it is to need nothing but Node.
 *
 *   node backend.mjs [--port 8081] [--api http://127.0.0.1:1235 --api http://127.0.0.1:2235] …
 *
 * It listens on loopback: whoever can reach the hooks' addresses can pretend to be Hive.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Chat } from './chat.mjs';
import { HiveApi } from './hive-api.mjs';
import { Hooks } from './hooks.mjs';
import { startServer } from './server.mjs';

const { values: options } = parseArgs({
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: '8081' },
    api: { type: 'string', multiple: true, default: ['http://127.0.0.1:1235', 'http://127.0.0.1:2235'] },
    key: { type: 'string', default: 'distributed-chat-api-key' },
    node: {
      type: 'string',
      multiple: true,
      default: ['node1=http://127.0.0.1:8080', 'node2=http://127.0.0.1:8079'],
    },
    kill: { type: 'string' }, // where the page can have a node killed: its name is appended, and a POST does it
    sweep: { type: 'string', default: '10' },
  },
});

const nodes = options.node.map((text) => {
  const [name, url] = text.split(/=(.*)/s);
  if (!name || !URL.canParse(url)) throw new Error(`--node ${text} is not NAME=URL`);
  return options.kill === undefined ? { name, url } : { name, url, kill: options.kill + name };
});

const hooks = new Hooks(new Chat(), new HiveApi(options.api, options.key));
const server = await startServer({ host: options.host, port: Number(options.port), nodes, hooks: hooks.endpoints });
console.log(`the back end is ready: http://${options.host}:${server.address().port}/`);

const stopped = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    stopped.abort();
    server.close();
    server.closeAllConnections();
  });
}

await hooks.askForCheckIn();
const pause = Number(options.sweep) * 1000;
while (!stopped.signal.aborted) {
  await sleep(pause, undefined, { signal: stopped.signal }).catch(() => {}); // it is over
  if (!stopped.signal.aborted) await hooks.sweep();
}
