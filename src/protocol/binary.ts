/**
 * Binary data in JSON. Inside the server, and for back ends, bytes are `{"_binary": "<base64>"}`; on the wire of Socket.IO
 * they are placeholders `{"_placeholder": true, "num": 0}` and attachments that follow the packet.
 */
import { HiveError } from '../observe/errors.ts';
import { maxJsonDepth } from './json.ts';

const key = '_binary';
const quotedKey = JSON.stringify(key);

type Container = Record<string | number, unknown>;

/** A text with its bytes taken out. */
interface Detached {
  readonly json: string;
  readonly attachments: readonly Buffer[];
}

/** Whether a JSON text is worth a closer look: nearly none is. */
export function mayHoldBytes(json: string): boolean {
  return json.includes(quotedKey);
}

/**
 * Takes the bytes out of a JSON text. Undefined if there are none; or if it holds placeholders of its own, which no client
 * could tell from ours: clients drop the connection over a placeholder without attachment.
 */
export function detach(json: string): Detached | undefined {
  const attachments: Buffer[] = [];
  const value = exchange(JSON.parse(json), 0, (object) => {
    if (object._placeholder === true) return foreign;
    const data = bytesIn(object);
    if (!data) return undefined;
    attachments.push(data);
    return { _placeholder: true, num: attachments.length - 1 };
  });
  if (value === foreign || attachments.length === 0) return undefined;
  return { json: JSON.stringify(value), attachments };
}

/** Puts attachments into the places that are kept for them. The value must have passed `checkPlaceholders`. */
export function attach(value: unknown, attachments: readonly Buffer[]): unknown {
  return exchange(value, 0, (object) =>
    object._placeholder === true ? { [key]: attachments[object.num as number]!.toString('base64') } : undefined,
  );
}

/** Makes sure that each of so many attachments has one place. @throws HiveError `bad_packet` */
export function checkPlaceholders(value: unknown, count: number): void {
  const places = new Set<unknown>();
  exchange(value, 0, (object) => {
    if (object._placeholder !== true) return undefined;
    const { num } = object;
    const fits = Number.isInteger(num) && (num as number) >= 0 && (num as number) < count;
    if (!fits || places.has(num)) throw new HiveError('bad_packet', 'A placeholder has no attachment of its own.');
    places.add(num);
    return undefined;
  });
  if (places.size !== count) throw new HiveError('bad_packet', 'An attachment has no placeholder.');
}

/** @throws HiveError `bad_packet` if the text is not base64 as everybody writes it */
export function decodeBase64(text: string): Buffer {
  const data = Buffer.from(text, 'base64');
  if (data.toString('base64') !== text) throw new HiveError('bad_packet', 'The packet contains invalid base64.');
  return data;
}

const foreign = Symbol('foreign placeholder');

/**
 * Walks freshly parsed JSON and exchanges objects in place; `foreign` ends the walk. What nests deeper than any client may
 * send is left as it is, for the stack's sake.
 */
function exchange(value: unknown, depth: number, replace: (object: Container) => unknown): unknown {
  if (typeof value !== 'object' || value === null || depth > maxJsonDepth) return value;
  const container = value as Container;
  if (!Array.isArray(value)) {
    const replacement = replace(container);
    if (replacement !== undefined) return replacement;
  }
  for (const name of Object.keys(container)) {
    const element = container[name];
    const replacement = exchange(element, depth + 1, replace);
    if (replacement === foreign) return foreign;
    if (replacement !== element) container[name] = replacement;
  }
  return value;
}

function bytesIn(object: Container): Buffer | undefined {
  const text = object[key];
  if (typeof text !== 'string' || Object.keys(object).length !== 1) return undefined;
  const data = Buffer.from(text, 'base64');
  return data.toString('base64') === text ? data : undefined;
}
