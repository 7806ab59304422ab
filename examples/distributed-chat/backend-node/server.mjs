/** The HTTP server of the chat: it shows the page and answers Hive's hooks. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Answers } from './answers.mjs';
import { BadMetadata, parseMetadata } from './metadata.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folders = [
  ['/', here('../web')],
  ['/shared/', here('../../shared/web')],
  ['/', here('../../../dist/socket.io-client')],
];
const types = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);
const maxBody = 2_000_000; // bytes; more than the largest message a client may send

/** Path of the address -> file. */
function pageFiles() {
  const files = new Map();
  for (const [prefix, folder] of folders) {
    for (const name of readdirSync(folder)) if (types.has(extname(name))) files.set(prefix + name, join(folder, name));
  }
  return files.set('/', files.get('/index.html'));
}

/** Resolves when it listens. `nodes` are what the page may connect to; `hooks` maps paths to what answers with actions. */
export async function startServer({ host, port, nodes, hooks }) {
  const server = createServer((request, response) =>
    new Exchange(request, response, { files, nodes, hooks, policy, answers }).handle(),
  );
  const files = pageFiles();
  const answers = new Answers();
  // The page may load from here and connect to the nodes, over HTTP and WebSocket, and do nothing else.
  const sources = nodes.flatMap(({ url, kill }) => [url, url.replace(/^http/, 'ws'), ...(kill ? [kill] : [])]);
  const policy = `default-src 'self'; connect-src 'self' ${sources.join(' ')}; frame-ancestors 'none'`;
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}

class Exchange {
  constructor(request, response, site) {
    this.request = request;
    this.response = response;
    this.site = site;
    this.path = URL.canParse(request.url, 'http://page') ? new URL(request.url, 'http://page').pathname : '';
  }

  handle() {
    if (this.request.method === 'GET' || this.request.method === 'HEAD') return this.show();
    if (this.request.method === 'POST') return this.answerHook();
    return this.fail(405, 'hooks are called with POST, pages with GET');
  }

  show() {
    const { files, hooks, nodes } = this.site;
    if (this.path === '/nodes') return this.reply(200, JSON.stringify(nodes));
    if (hooks.has(this.path)) return this.fail(405, 'hooks are called with POST');
    const file = files.get(this.path);
    if (!file) return this.fail(404, 'no such page');
    return this.reply(200, readFileSync(file), types.get(extname(file)));
  }

  async answerHook() {
    let body;
    try {
      body = await this.body();
    } catch {
      return; // broken off: nobody waits for an answer
    }
    if (body === undefined) return this.fail(413, `the body is larger than ${maxBody} bytes`);
    const hook = this.site.hooks.get(this.path);
    if (!hook) return this.fail(404, 'no such hook');
    if (this.request.headers.origin) return this.fail(403, 'hooks are for Hive, not for web pages');
    try {
      return this.reply(200, await this.answerOnce(hook, parseMetadata(body)));
    } catch (error) {
      if (error instanceof BadMetadata) return this.fail(400, error.message);
      console.error(`${this.path} failed:`, error); // one failed call must not end the others
      return this.fail(500, 'internal error');
    }
  }

  /** The hooks of one event send the same key to all their endpoints. */
  answerOnce(hook, metadata) {
    const key = this.request.headers['idempotency-key'];
    const answer = async () => {
      const actions = await hook(metadata);
      return actions.length > 0 ? JSON.stringify(actions) : '';
    };
    return key === undefined ? answer() : this.site.answers.once(`${this.path} ${key}`, answer);
  }

  /** Undefined if it is too large. */
  async body() {
    const parts = [];
    let length = 0;
    for await (const part of this.request) {
      length += part.length;
      if (length <= maxBody) parts.push(part);
    }
    return length <= maxBody ? Buffer.concat(parts).toString() : undefined;
  }

  fail(status, description) {
    this.reply(status, JSON.stringify({ error: description }));
  }

  reply(status, body, type = 'application/json') {
    this.response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      'Cache-Control': 'no-cache',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': this.site.policy,
    });
    this.response.end(body);
  }
}
