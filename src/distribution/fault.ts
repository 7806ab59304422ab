/** Where in a term that is too large to look through by eye the value is that cannot be sent. */
import { ImproperList, isAtom, Tuple } from './codec/terms.ts';

/** Longer paths are those of cycles. */
const maxSegments = 16;

/**
 * The path to the first value in it that makes its encoding fail: `actions[0].args.price`; `its top` if it is the term itself.
 * @param encodes whether a value can be encoded
 */
export function pathOfFault(term: unknown, encodes: (value: unknown) => boolean): string {
  let at = term instanceof Tuple && isAtom(term.items[0], '$gen_call') ? term.items[2] : term;
  let path = '';
  for (let segments = 0; segments < maxSegments; segments += 1) {
    const faulty = children(at).find(([, value]) => !encodes(value));
    if (!faulty) return path === '' ? 'its top' : path.replace(/^\./, '');
    path += faulty[0];
    at = faulty[1];
  }
  return `${path.replace(/^\./, '')}…`;
}

function children(value: unknown): [segment: string, value: unknown][] {
  if (typeof value !== 'object' || value === null) return [];
  if (value instanceof Tuple) return children(value.items);
  if (value instanceof ImproperList) return [...children(value.items), ['[tail]', value.tail]];
  if (Array.isArray(value)) return value.map((item, i) => [`[${i}]`, item]);
  if (!(value instanceof Map) && Object.getPrototypeOf(value) !== Object.prototype) return [];
  const pairs = value instanceof Map ? [...value] : Object.entries(value);
  return pairs.map(([key, item]) => [segmentOf(key), item]);
}

function segmentOf(key: unknown): string {
  return typeof key === 'string' && /^\w+$/.test(key) ? `.${key}` : `[${JSON.stringify(String(key))}]`;
}
