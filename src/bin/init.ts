/**
 * `hive init`: a first configuration with keys of its own. It says only what differs from the defaults; what else can be said is in
 * the documentation, and in the schema that `$schema` names, which editors complete from.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '../version.ts';
import { print } from './operator/output.ts';

const schemaFile = fileURLToPath(new URL('../../config/schema/config.json', import.meta.url));
const documentation = fileURLToPath(new URL('../../docs/configuration.md', import.meta.url));

/** Of a key: nobody guesses 24 bytes. */
const keyBytes = 24;

interface Keys {
  readonly api: string;
  readonly monitor: string;
}

/** Writes that file, or one into that folder; gives the exit code: 1 if it is there already, or cannot be written. */
export async function init(place: string): Promise<number> {
  const keys = { api: newKey(), monitor: newKey() };
  let file: string;
  try {
    file = write(place, keys);
  } catch (error) {
    console.error(`file_error: ${(error as Error).message}`);
    return 1;
  }
  await print(`${file} is written: one node, the channels news.*, and keys that nobody else has.

  hive run ${file}

serves clients on port 8080. To push to those who have emitted "subscribe" with {"news": "all"}:

  curl -d '{"name": "hello", "args": ["world"]}' http://127.0.0.1:1235/api/${keys.api}/pubsub/publish/news.all

The dashboard: http://127.0.0.1:1234/monitor/${keys.monitor}/dashboard
Every other key: ${documentation}
`);
  return 0;
}

function newKey(): string {
  return randomBytes(keyBytes).toString('hex');
}

function write(place: string, keys: Keys): string {
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() ?? !place.endsWith('.json');
  const file = isFolder ? join(place, 'hive.json') : place;
  mkdirSync(dirname(file), { recursive: true });
  const text = `${JSON.stringify(firstConfig(file, keys), null, 2)}\n`;
  try {
    // Never over another one, and for nobody else's eyes.
    writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`${file} is there already; it stays as it is.`, { cause: error });
  }
  return file;
}

function firstConfig(file: string, { api, monitor }: Keys): object {
  return {
    $schema: schemaFor(file),
    hive: { name: 'hive@127.0.0.1' },
    clients: {
      hooks: {
        subscribe: [{ hook: 'pubsub.subscribe', args: 'public' }],
        unsubscribe: [{ hook: 'pubsub.unsubscribe', args: 'public' }],
      },
    },
    pubsub: { channels: { news: { privilege: 'public', timeout: 60_000 } } },
    api: { hash: api },
    monitor: { hash: monitor },
  };
}

/** The file of a Hive that is installed below the configuration, which moves with it; else the published one. */
function schemaFor(file: string): string {
  const path = relative(resolve(dirname(file)), schemaFile);
  return path.startsWith('..') ? `https://unpkg.com/hive-push@${version}/config/schema/config.json` : `./${path}`;
}
