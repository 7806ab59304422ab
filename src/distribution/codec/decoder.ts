/**
 * Reads terms in the External Term Format. Whatever the bytes are, the outcome is a term or a TermError; no announced
 * length makes it allocate more than the bytes at hand can hold. The mapping is described in terms.ts.
 */
import { inflateSync } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { type Shape, Shapes } from './shapes.ts';
import { StringCache, shortText, textIn } from './string-cache.ts';
import { Atom, BitString, ExportFun, Fun, ImproperList, Pid, Port, Reference, TermError, Tuple, tag } from './terms.ts';

export interface DecoderOptions {
  /** Nesting beyond this is refused (512). */
  maxDepth?: number;
  /** Items of all lists, tuples and maps of a frame together (4,194,304): each may be a byte and cost a hundred. */
  maxElements?: number;
  /** Atoms kept for reuse (4096). Further names are understood, they only make new objects. */
  maxAtoms?: number;
  /** Bytes that a compressed term may unfold to (64 MiB). */
  maxInflated?: number;
  /** What a pid becomes; a Pid by default. */
  makePid?: (node: string, id: number, serial: number, creation: number) => unknown;
}

/** The runtime's own integers end at 128 MiB; long before that they are no numbers but an attack. */
const maxIntegerBytes = 1024 * 1024;

export class Decoder extends ByteReader {
  readonly #maxDepth: number;
  readonly #maxElements: number;
  readonly #maxAtoms: number;
  readonly #maxInflated: number;
  readonly #makePid: (node: string, id: number, serial: number, creation: number) => unknown;
  readonly #texts = new StringCache();
  readonly #shapes = new Shapes();
  /** Values of the maps that are being read, those of the outermost first. */
  readonly #values: unknown[] = [];
  /** How many of them there are. */
  #height = 0;
  /** Items of what was opened last. */
  #elements = 0;
  /** Of this connection alone: what one peer fills is no other's loss, and goes with it. */
  readonly #atoms = new Map<string, Atom>();

  constructor(options: DecoderOptions = {}) {
    super();
    this.#maxDepth = options.maxDepth ?? 512;
    this.#maxElements = options.maxElements ?? 4 * 1024 * 1024;
    this.#maxAtoms = options.maxAtoms ?? 4096;
    this.#maxInflated = options.maxInflated ?? 64 * 1024 * 1024;
    this.#makePid = options.makePid ?? ((node, id, serial, creation) => new Pid(node, id, serial, creation));
  }

  override open(bytes: Buffer, start = 0, end = bytes.length): void {
    super.open(bytes, start, end);
    this.#height = 0;
    this.#elements = 0;
  }

  /** Reads the version byte and one term. */
  versioned(): unknown {
    const version = this.byte();
    if (version !== tag.version) throw this.error(`version ${version} is not known`);
    if (this.position < this.end && this.bytes[this.position] === tag.compressed) return this.#inflate();
    return this.term(0);
  }

  /** Reads one term without a version byte. */
  term(depth: number): unknown {
    const kind = this.byte();
    switch (kind) {
      case tag.smallInteger:
        return this.byte();
      case tag.integer:
        return this.view.getInt32(this.skip(4));
      case tag.binary:
        return this.#binary(this.uint32());
      case tag.smallAtomUtf8:
        return this.#atomValue(this.#text(this.byte(), 'utf8'));
      case tag.atomUtf8:
        return this.#atomValue(this.#text(this.uint16(), 'utf8'));
      case tag.smallAtom:
        return this.#atomValue(this.#text(this.byte(), 'latin1'));
      case tag.atom:
        return this.#atomValue(this.#text(this.uint16(), 'latin1'));
      case tag.nil:
        return [];
      case tag.map:
        return this.#map(this.uint32(), this.#deeper(depth));
      case tag.list:
        return this.#list(this.uint32(), this.#deeper(depth));
      case tag.smallTuple:
        return new Tuple(this.#items(this.byte(), this.#deeper(depth)));
      case tag.largeTuple:
        return new Tuple(this.#items(this.uint32(), this.#deeper(depth)));
      case tag.newFloat:
        return this.#finite(this.view.getFloat64(this.skip(8)));
      case tag.string: {
        const length = this.uint16();
        const start = this.skip(length);
        this.#count(length);
        return [...this.bytes.subarray(start, start + length)];
      }
      case tag.newPid: {
        const node = this.#nodeName();
        return this.#makePid(node, this.uint32(), this.uint32(), this.uint32());
      }
      case tag.newerReference:
        return this.#reference(this.uint16(), 4);
      default:
        return this.#rare(kind, depth);
    }
  }

  /** Kinds that seldom or never travel between nodes of today. */
  #rare(kind: number, depth: number): unknown {
    switch (kind) {
      case tag.bitBinary:
        return this.#bitBinary();
      case tag.smallBig:
        return this.#big(this.byte());
      case tag.largeBig:
        return this.#big(this.uint32());
      case tag.float: {
        const start = this.skip(31);
        return this.#finite(Number.parseFloat(this.bytes.toString('latin1', start, start + 31)));
      }
      case tag.pid: {
        const node = this.#nodeName();
        return this.#makePid(node, this.uint32(), this.uint32(), this.byte());
      }
      case tag.v4Port: {
        const node = this.#nodeName();
        return new Port(node, this.view.getBigUint64(this.skip(8)), this.uint32());
      }
      case tag.newPort: {
        const node = this.#nodeName();
        return new Port(node, BigInt(this.uint32()), this.uint32());
      }
      case tag.port: {
        const node = this.#nodeName();
        return new Port(node, BigInt(this.uint32()), this.byte());
      }
      case tag.newReference:
        return this.#reference(this.uint16(), 1);
      case tag.reference: {
        const node = this.#nodeName();
        const word = this.uint32();
        return new Reference(node, this.byte(), [word]);
      }
      case tag.exportFun: {
        const module = this.#nodeName();
        const name = this.#nodeName();
        return new ExportFun(module, name, this.#smallInteger());
      }
      case tag.newFun:
        return this.#fun(this.#deeper(depth));
      default:
        throw this.error(`tag ${kind} is not known`);
    }
  }

  #inflate(): unknown {
    this.position += 1;
    const size = this.uint32();
    if (size > this.#maxInflated) throw this.error(`a compressed term of ${size} bytes is too large`);
    let plain: Buffer;
    try {
      plain = inflateSync(this.bytes.subarray(this.position, this.end), { maxOutputLength: Math.max(size, 1) });
    } catch (error) {
      throw this.error(`cannot inflate: ${(error as Error).message}`);
    }
    if (plain.length !== size) throw this.error(`inflated to ${plain.length} bytes instead of ${size}`);
    this.open(plain);
    return this.term(0);
  }

  #items(count: number, depth: number): unknown[] {
    // Each item takes a byte at least; an arity beyond the rest of the bytes is a lie.
    if (count > this.end - this.position) throw this.error(`${count} items announced`);
    this.#count(count);
    const items: unknown[] = [];
    for (let i = 0; i < count; i += 1) items.push(this.term(depth));
    return items;
  }

  #list(count: number, depth: number): unknown {
    const items = this.#items(count, depth);
    if (this.position < this.end && this.bytes[this.position] === tag.nil) {
      this.position += 1;
      return items;
    }
    const tail = this.term(depth);
    // They are copied, once for each list in front of them.
    if (Array.isArray(tail)) this.#count(tail.length);
    else if (tail instanceof ImproperList) this.#count(tail.items.length);
    if (!Array.isArray(tail) && !(tail instanceof ImproperList)) return new ImproperList(items, tail);
    if (tail instanceof ImproperList) return new ImproperList([...items, ...tail.items], tail.tail);
    return [...items, ...tail];
  }

  #map(count: number, depth: number): unknown {
    if (2 * count > this.end - this.position) throw this.error(`${count} pairs announced`);
    this.#count(2 * count);
    let shape = this.#shapes.root(count);
    if (shape === undefined) return this.#record({}, undefined, count, depth);
    const values = this.#values;
    const base = this.#height;
    for (let i = 0; i < count; i += 1) {
      const next: Shape | undefined = shape.follow(this.view, this.position, this.end) ?? this.#learn(shape);
      if (next === undefined) return this.#unshaped(shape, base, count - i, depth);
      this.position += next.length;
      this.#height = base + i;
      values[base + i] = this.#valueOf(next, depth);
      shape = next;
    }
    const record = shape.make(values, base);
    for (let i = base + count - 1; i >= base; i -= 1) values[i] = undefined;
    this.#height = base;
    return record;
  }

  #valueOf(key: Shape, depth: number): unknown {
    const start = this.position;
    const known = key.recall(this.view, start, this.end);
    if (known > 0) {
      this.position = start + known;
      return key.text;
    }
    const value = this.term(depth);
    if (typeof value === 'string') key.notice(value, this.view, start, this.position);
    return value;
  }

  /** The next key, if it can be learned; it is not stepped over. */
  #learn(shape: Shape): Shape | undefined {
    const start = this.position;
    const isBinary = this.bytes[start] === tag.binary;
    const key = this.#key();
    const end = this.position;
    this.position = start;
    return key === undefined ? undefined : this.#shapes.learn(shape, key, !isBinary, this.view, start, end);
  }

  /** A map that goes on differently than others did. */
  #unshaped(shape: Shape, base: number, count: number, depth: number): unknown {
    const record: Record<string, unknown> = {};
    const { keys, atoms } = shape;
    for (let i = 0; i < keys.length; i += 1) {
      record[keys[i]!] = this.#values[base + i];
      this.#values[base + i] = undefined;
    }
    this.#height = base;
    return this.#record(record, new Set(atoms), count, depth);
  }

  /**
   * The other `count` pairs, one by one.
   * @param names which of the names were atoms, should the map turn out to need more than an object
   */
  #record(record: Record<string, unknown>, names: Set<string> | undefined, count: number, depth: number): unknown {
    let atoms = names;
    for (let i = 0; i < count; i += 1) {
      const start = this.position;
      const isBinary = this.bytes[start] === tag.binary;
      const key = this.#key();
      if (key === undefined || Object.hasOwn(record, key)) {
        this.position = start;
        return this.#generalMap(record, atoms, count - i, depth);
      }
      if (!isBinary) {
        atoms ??= new Set();
        atoms.add(key);
      }
      const value = this.term(depth);
      // A plain assignment of this name would set the prototype.
      if (key === '__proto__') {
        Object.defineProperty(record, key, { value, enumerable: true, writable: true, configurable: true });
      } else {
        record[key] = value;
      }
    }
    return record;
  }

  /** The key that comes next, if it can be the name of a property. */
  #key(): string | undefined {
    const kind = this.byte();
    if (kind === tag.binary) {
      const length = this.uint32();
      return this.#utf8(this.skip(length), length);
    }
    if (kind !== tag.smallAtomUtf8 && kind !== tag.atomUtf8 && kind !== tag.atom && kind !== tag.smallAtom)
      return undefined;
    this.position -= 1;
    const key = this.term(0);
    return key instanceof Atom ? key.name : undefined;
  }

  #generalMap(
    record: Record<string, unknown>,
    atoms: Set<string> | undefined,
    count: number,
    depth: number,
  ): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    for (const [name, value] of Object.entries(record)) map.set(atoms?.has(name) ? this.#atom(name) : name, value);
    for (let i = 0; i < count; i += 1) {
      const key = this.term(depth);
      map.set(key, this.term(depth));
    }
    return map;
  }

  #binary(length: number): string | Buffer {
    const start = this.skip(length);
    return this.#utf8(start, length) ?? Buffer.from(this.bytes.subarray(start, start + length));
  }

  /** The text in these bytes; undefined if they are not UTF-8. */
  #utf8(start: number, length: number): string | undefined {
    if (length <= shortText) return this.#texts.read(this.bytes, this.view, start, length);
    return textIn(this.bytes, this.view, start, length);
  }

  #bitBinary(): Buffer | BitString {
    const length = this.uint32();
    const bits = this.byte();
    if (bits > 8 || (bits === 0) !== (length === 0)) throw this.error(`a bitstring cannot end with ${bits} bits`);
    const start = this.skip(length);
    const bytes = Buffer.from(this.bytes.subarray(start, start + length));
    return bits === 8 || bits === 0 ? bytes : new BitString(bytes, bits);
  }

  #big(length: number): number | bigint {
    const negative = this.byte() !== 0;
    const start = this.skip(length);
    if (length > maxIntegerBytes) throw this.error(`an integer of ${length} bytes is too large`);
    if (length <= 6) {
      const value = length === 0 ? 0 : this.bytes.readUIntLE(start, length);
      return negative ? 0 - value : value;
    }
    const digits = Buffer.from(this.bytes.subarray(start, start + length)).reverse();
    const magnitude = BigInt(`0x${digits.toString('hex')}`);
    const value = negative ? -magnitude : magnitude;
    const small = value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    return small ? Number(value) : value;
  }

  #reference(words: number, creationBytes: 1 | 4): Reference {
    if (words < 1 || words > 5) throw this.error(`a reference of ${words} words`);
    const node = this.#nodeName();
    const creation = creationBytes === 4 ? this.uint32() : this.byte();
    const id: number[] = [];
    for (let i = 0; i < words; i += 1) id.push(this.uint32());
    return new Reference(node, creation, id);
  }

  #fun(depth: number): Fun {
    const sizeAt = this.position;
    const size = this.uint32();
    const arity = this.byte();
    const uniqAt = this.skip(16);
    const uniq = Buffer.from(this.bytes.subarray(uniqAt, uniqAt + 16));
    const index = this.uint32();
    const freeCount = this.uint32();
    const module = this.#nodeName();
    const oldIndex = this.#smallInteger();
    const oldUniq = this.#smallInteger();
    const creator = this.term(depth);
    const free = this.#items(freeCount, depth);
    if (this.position !== sizeAt + size) throw this.error(`a fun of ${size} bytes`);
    return new Fun({ module, arity, uniq, index, oldIndex, oldUniq, creator, free });
  }

  #nodeName(): string {
    const kind = this.byte();
    switch (kind) {
      case tag.smallAtomUtf8:
        return this.#text(this.byte(), 'utf8');
      case tag.atomUtf8:
        return this.#text(this.uint16(), 'utf8');
      case tag.smallAtom:
        return this.#text(this.byte(), 'latin1');
      case tag.atom:
        return this.#text(this.uint16(), 'latin1');
      default:
        throw this.error(`an atom expected, not tag ${kind}`);
    }
  }

  /** What an atom of that name is here. */
  #atomValue(name: string): unknown {
    switch (name) {
      case 'true':
        return true;
      case 'false':
        return false;
      case 'null':
        return null;
      case 'undefined':
        return undefined;
      default:
        return this.#atom(name);
    }
  }

  #atom(name: string): Atom {
    const known = this.#atoms.get(name);
    if (known) return known;
    const made = new Atom(name);
    if (this.#atoms.size < this.#maxAtoms) this.#atoms.set(name, made);
    return made;
  }

  #smallInteger(): number {
    const value = this.term(0);
    if (typeof value !== 'number' || !Number.isInteger(value)) throw this.error('an integer expected');
    return value;
  }

  /** The name of an atom. */
  #text(length: number, encoding: 'utf8' | 'latin1'): string {
    const start = this.skip(length);
    if (encoding === 'latin1') return this.bytes.toString(encoding, start, start + length);
    const text = this.#utf8(start, length);
    if (text === undefined) throw this.error('an atom that is not UTF-8');
    return text;
  }

  #finite(value: number): number {
    if (!Number.isFinite(value)) throw this.error('a float that is not a number');
    return value;
  }

  #count(elements: number): void {
    this.#elements += elements;
    if (this.#elements > this.#maxElements) throw this.error(`more than ${this.#maxElements} elements`);
  }

  #deeper(depth: number): number {
    if (depth >= this.#maxDepth) throw this.error(`deeper than ${this.#maxDepth}`);
    return depth + 1;
  }
}

/** One term with its version byte, as `binary_to_term` reads it; trailing bytes are refused. @throws TermError */
export function decodeTerm(bytes: Buffer, options?: DecoderOptions): unknown {
  const decoder = new Decoder(options);
  decoder.open(bytes);
  const value = decoder.versioned();
  if (!decoder.done) throw new TermError('bytes left over', `byte ${decoder.position}`);
  return value;
}
