/**
 * The names of properties as they are sent. What follows a name is mostly what followed it last time: then finding it takes
 * one comparison. Names beyond the bounds are written like any other text.
 */
import { BytePattern } from './byte-pattern.ts';
import { tag } from './terms.ts';

const longestName = 48;
const maxNames = 1024;

export class CachedKey {
  readonly name: string;
  /** The name as a binary, its tag included. */
  readonly pattern: BytePattern;
  /** What came after it last time. */
  next: CachedKey | undefined;

  constructor(name: string) {
    const text = Buffer.from(name);
    const bytes = Buffer.concat([Buffer.from([tag.binary, 0, 0, 0, 0]), text]);
    bytes.writeUInt32BE(text.length, 1);
    this.name = name;
    this.pattern = new BytePattern(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);
  }
}

export class KeyCache {
  readonly #known = new Map<string, CachedKey>();
  /** Before the first name of an object. */
  readonly first = new CachedKey('');

  /** The key of that name, which comes after `previous` now. */
  after(previous: CachedKey, name: string): CachedKey | undefined {
    let key = this.#known.get(name);
    if (key === undefined) {
      if (name.length > longestName || this.#known.size === maxNames || !name.isWellFormed()) return undefined;
      key = new CachedKey(name);
      this.#known.set(name, key);
    }
    previous.next = key;
    return key;
  }
}
