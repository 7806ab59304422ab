/** The monitor's page: the files of `web/dashboard`, which are the same for every node and key. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { notFound } from '../http/api-key.ts';
import { type Headers, type HttpResponse, send } from '../http/http.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/**
 * The page loads from where it came from and nowhere else, runs no script that stands in it, and cannot be framed. Its address
 * holds the key: nobody else gets to see it, and no cache keeps it.
 */
const headers: Headers = [
  [
    'Content-Security-Policy',
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-store'],
];

const index = 'index.html';
const code = 'bad_monitor_request';

/** By name; read when the page is asked for the first time. */
let files: Map<string, string> | undefined;

function readFiles(): Map<string, string> {
  const folder = new URL('../dashboard/', import.meta.url);
  const names = readdirSync(folder).filter((name) => extname(name) in types);
  return new Map(names.map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));
}

/**
 * Answers `…/dashboard` with the page and `…/dashboard/<file>` with what belongs to it.
 * @throws RequestError 404
 */
export function sendDashboard(res: HttpResponse, url: string, name: string | undefined): void {
  // From there the page's relative addresses would lead nowhere. An absolute one would not fit behind a proxy.
  if (name === undefined && url.endsWith('/')) return send(res, 308, '', '', [['Location', '../dashboard']]);
  files ??= readFiles();
  const file = name === index ? undefined : files.get(name ?? index);
  if (file === undefined) throw notFound(code);
  send(res, 200, file, types[extname(name ?? index)], headers);
}
