/**
 * Channel expressions: how clients and back ends name several channels at once.
 *
 *   "a.b"  17                      itself
 *   ["a.b", { "c": [1, "x"] }]     the union of its elements:  a.b  c.1  c.x
 *   { "a": { "b": ["c"] }, "d": 1 } each key prefixes what its value names:  a.b.c  d.1
 *
 * Whatever names nothing definite (null, booleans, fractions, empty segments) is refused.
 */
import { HiveError } from '../../observe/errors.ts';

/** Ids longer than this are refused: they cost memory on every node, and nobody needs them. UTF-16 units. */
const maxIdLength = 1024;
/** Nesting is bounded for the stack's sake; ids of more segments are written out. */
const maxDepth = 32;

/**
 * The ids (or prefixes) that an expression names, each once, in written order.
 * @throws HiveError `bad_channel_id`
 */
export function channelIds(expression: unknown): string[] {
  const ids = new Set<string>();
  collect(expression, '', 0, ids);
  return [...ids];
}

/**
 * What a resubscription leaves and joins: the object's keys are left as prefixes, then the channels that the whole
 * expression names are joined. An array means the union of its elements.
 * @throws HiveError `bad_channel_id` if it is neither an object nor an array of objects
 */
export function resubscription(expression: unknown): { leave: string[]; join: string[] } {
  const parts: unknown[] = Array.isArray(expression) ? expression : [expression];
  const leave = new Set<string>();
  for (const part of parts) {
    if (typeof part !== 'object' || part === null || Array.isArray(part)) {
      throw bad('To resubscribe takes an object of prefixes', part);
    }
    for (const prefix of Object.keys(part)) leave.add(checked(prefix, ''));
  }
  return { leave: [...leave], join: channelIds(expression) };
}

function collect(expression: unknown, prefix: string, depth: number, ids: Set<string>): void {
  if (depth > maxDepth) throw bad(`The channel expression nests deeper than ${maxDepth} levels`);
  if (typeof expression === 'string') {
    ids.add(checked(expression, prefix));
  } else if (Number.isSafeInteger(expression)) {
    ids.add(checked(String(expression), prefix));
  } else if (Array.isArray(expression)) {
    for (const element of expression) collect(element, prefix, depth + 1, ids);
  } else if (typeof expression === 'object' && expression !== null) {
    for (const [key, value] of Object.entries(expression)) {
      collect(value, `${checked(key, prefix)}.`, depth + 1, ids);
    }
  } else {
    throw bad('No channel is named by this', expression);
  }
}

/** `prefix` + `name`, if no segment of the name is empty. */
function checked(name: string, prefix: string): string {
  if (name === '' || name.startsWith('.') || name.endsWith('.') || name.includes('..')) {
    throw bad('The channel id has an empty segment', prefix + name);
  }
  if (prefix.length + name.length > maxIdLength) {
    throw bad(`The channel id is longer than ${maxIdLength} characters`, prefix + name);
  }
  return prefix + name;
}

/** The text shows what is wrong, but for what nests too deeply to be shown. */
function bad(reason: string, shown?: unknown): HiveError {
  const description = shown === undefined ? reason : `${reason}: ${excerpt(shown)}`;
  return new HiveError('bad_channel_id', description, { summary: reason });
}

function excerpt(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
