/**
 * Writes terms in the External Term Format. One encoder belongs to one connection: it fills a slab of memory with frame
 * after frame, and what was taken out of it is never written again. The mapping is described in terms.ts.
 */
import { pathOfFault } from '../fault.ts';
import type { BytePattern } from './byte-pattern.ts';
import { type CachedKey, KeyCache } from './key-cache.ts';
import {
  Atom,
  BitString,
  ExportFun,
  Float,
  Fun,
  ImproperList,
  Pid,
  Port,
  Reference,
  TermError,
  Tuple,
  tag,
} from './terms.ts';

/** Deeper terms are refused: they are cycles, or attacks on the reader's stack. */
const maxDepth = 512;
/** Strings up to this length are written by hand, which is faster than a call into the runtime. */
const shortString = 16;
const measuredString = 4096;

const keys = new KeyCache();
const atomBytes = new Map<string, Buffer>();
const maxKeptAtomBytes = 4096;

/** Anything with the four numbers of a pid: kernel references and Pid terms. */
interface PidLike {
  readonly node: string;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
}

export class Encoder {
  #buffer: Buffer;
  /** The same memory, for numbers. */
  #view: DataView;
  #position = 0;
  /** Where the bytes begin that were not taken yet. */
  #start = 0;
  readonly #slabSize: number;

  constructor(slabSize = 256 * 1024) {
    this.#slabSize = slabSize;
    this.#buffer = Buffer.allocUnsafeSlow(slabSize);
    this.#view = viewOf(this.#buffer);
  }

  /** Bytes written and not yet taken. */
  get length(): number {
    return this.#position - this.#start;
  }

  /** Takes out everything written since the last `take`. */
  take(): Buffer {
    const taken = this.#buffer.subarray(this.#start, this.#position);
    // What begins at the end of a slab would have to move to the next one.
    if (this.#buffer.length - this.#position < this.#slabSize / 4) this.#position = this.#buffer.length;
    this.#start = this.#position;
    return taken;
  }

  /** Forgets what was written beyond `length` bytes: a message that turned out not to be encodable. */
  truncate(length: number): void {
    this.#position = this.#start + length;
  }

  /** A copy of what was written from that offset on and not yet taken. */
  copy(offset: number): Buffer {
    return Buffer.from(this.#buffer.subarray(this.#start + offset, this.#position));
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#position++] = value;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#position, value);
    this.#position += 4;
  }

  /** Overwrites the four bytes at `offset` of what is not yet taken: a length known only afterwards. */
  patchUint32(offset: number, value: number): void {
    this.#view.setUint32(this.#start + offset, value);
  }

  tuple(arity: number): void {
    this.#reserve(5);
    if (arity < 256) {
      this.#buffer[this.#position++] = tag.smallTuple;
      this.#buffer[this.#position++] = arity;
    } else {
      this.#buffer[this.#position++] = tag.largeTuple;
      this.uint32(arity);
    }
  }

  integer(value: number): void {
    this.#reserve(11);
    const buffer = this.#buffer;
    if (value >= 0 && value < 256) {
      buffer[this.#position++] = tag.smallInteger;
      buffer[this.#position++] = value;
    } else if (value >= -0x80000000 && value <= 0x7fffffff) {
      buffer[this.#position] = tag.integer;
      this.#view.setInt32(this.#position + 1, value);
      this.#position += 5;
    } else {
      let rest = Math.abs(value);
      buffer[this.#position++] = tag.smallBig;
      const size = this.#position++;
      buffer[this.#position++] = value < 0 ? 1 : 0;
      for (; rest > 0; rest = Math.floor(rest / 256)) buffer[this.#position++] = rest % 256;
      buffer[size] = this.#position - size - 2;
    }
  }

  atom(name: string): void {
    let bytes = atomBytes.get(name);
    if (bytes === undefined) {
      bytes = encodeAtom(name);
      if (atomBytes.size < maxKeptAtomBytes) atomBytes.set(name, bytes);
    }
    this.#reserve(bytes.length);
    // A loop, because atoms are short and a copy through the runtime costs more.
    const buffer = this.#buffer;
    let position = this.#position;
    for (let i = 0; i < bytes.length; i += 1) buffer[position++] = bytes[i]!;
    this.#position = position;
  }

  pid(pid: PidLike): void {
    this.byte(tag.newPid);
    this.atom(pid.node);
    this.uint32(pid.id);
    this.uint32(pid.serial);
    this.uint32(pid.creation);
  }

  reference(reference: Reference): void {
    const { words } = reference;
    this.byte(tag.newerReference);
    this.#reserve(2);
    this.#view.setUint16(this.#position, words.length);
    this.#position += 2;
    this.atom(reference.node);
    this.uint32(reference.creation);
    for (const word of words) this.uint32(word);
  }

  /** Writes any term. @throws TermError for what has no place in a term: functions, symbols, NaN, halves of surrogate pairs, cycles. */
  term(value: unknown, depth = 0): void {
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        if (Number.isSafeInteger(value) && !Object.is(value, -0)) return this.integer(value);
        return this.#float(value);
      case 'boolean':
        return this.atom(value ? 'true' : 'false');
      case 'undefined':
        return this.atom('undefined');
      case 'bigint':
        return this.#bigint(value);
      case 'object':
        if (value === null) return this.atom('null');
        if (depth >= maxDepth) throw new TermError('term too deep', `depth ${depth}`);
        if (Array.isArray(value)) return this.#list(value, undefined, depth);
        return this.#object(value, depth + 1);
      default:
        throw new TermError(`a ${typeof value} is no term`, `depth ${depth}`);
    }
  }

  #object(value: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null)
      return this.#record(value as Record<string, unknown>, depth);
    if (value instanceof Atom) return this.atom(value.name);
    if (value instanceof Tuple) return this.#tupleOf(value.items, depth);
    if (value instanceof Pid) return this.pid(value);
    if (value instanceof Uint8Array) return this.#bytes(value, 8);
    if (value instanceof Reference) return this.reference(value);
    if (value instanceof Map) return this.#map(value, depth);
    if (value instanceof ImproperList) return this.#list(value.items, value, depth - 1);
    if (value instanceof BitString) return this.#bytes(value.bytes, value.bits);
    if (value instanceof Float) return this.#float(value.value);
    if (value instanceof Port) return this.#port(value);
    if (value instanceof ExportFun) return this.#exportFun(value);
    if (value instanceof Fun) return this.#fun(value, depth);
    if (isPidLike(value)) return this.pid(value);
    throw new TermError(`a ${value.constructor.name} is no term`, `depth ${depth}`);
  }

  #record(value: Record<string, unknown>, depth: number): void {
    this.byte(tag.map);
    const at = this.length;
    this.uint32(0);
    let count = 0;
    let last = keys.first;
    for (const name in value) {
      if (!Object.hasOwn(value, name)) continue;
      last = this.#key(last, name);
      this.term(value[name], depth);
      count += 1;
    }
    this.patchUint32(at, count);
  }

  /** Writes a name that comes after another one, and says after which one the next comes. */
  #key(last: CachedKey, name: string): CachedKey {
    const next = last.next;
    const key = next !== undefined && next.name === name ? next : keys.after(last, name);
    if (key === undefined) {
      this.#string(name);
      return keys.first;
    }
    this.piece(key.pattern);
    return key;
  }

  #map(value: Map<unknown, unknown>, depth: number): void {
    this.byte(tag.map);
    this.uint32(value.size);
    for (const [key, item] of value) {
      this.term(key, depth);
      this.term(item, depth);
    }
  }

  #tupleOf(items: readonly unknown[], depth: number): void {
    this.tuple(items.length);
    for (const item of items) this.term(item, depth);
  }

  #list(items: readonly unknown[], improper: ImproperList | undefined, depth: number): void {
    if (items.length === 0) {
      if (improper) throw new TermError('an improper list needs an item', `depth ${depth}`);
      return this.byte(tag.nil);
    }
    this.byte(tag.list);
    this.uint32(items.length);
    for (let i = 0; i < items.length; i += 1) this.term(items[i], depth + 1);
    if (improper) this.term(improper.tail, depth + 1);
    else this.byte(tag.nil);
  }

  #string(value: string): void {
    const { length } = value;
    // The longest that a short text can get; a long one is measured.
    this.#reserve(5 + (length <= measuredString ? length * 3 : Buffer.byteLength(value)));
    const buffer = this.#buffer;
    const head = this.#position;
    buffer[head] = tag.binary;
    let position = head + 5;
    if (length <= shortString) {
      let i = 0;
      for (; i < length; i += 1) {
        const code = value.charCodeAt(i);
        if (code > 127) break;
        buffer[position++] = code;
      }
      if (i < length) position = head + 5 + buffer.write(wellFormed(value), head + 5);
    } else {
      position += buffer.write(wellFormed(value), position);
    }
    this.#view.setUint32(head + 1, position - head - 5);
    this.#position = position;
  }

  #bytes(bytes: Uint8Array, bits: number): void {
    if (!(bits >= 1 && bits <= 8)) throw new TermError(`a bitstring cannot end with ${bits} bits`, 'its last byte');
    // No bytes cannot be told from no text: OTP 27 ends the connection at a bitstring without a byte.
    if (bytes.length === 0) return this.#string('');
    this.#reserve(6 + bytes.length);
    const buffer = this.#buffer;
    buffer[this.#position] = tag.bitBinary;
    this.#view.setUint32(this.#position + 1, bytes.length);
    buffer[this.#position + 5] = bits;
    buffer.set(bytes, this.#position + 6);
    this.#position += 6 + bytes.length;
  }

  #float(value: number): void {
    if (!Number.isFinite(value)) throw new TermError(`${value} is no term`, 'a number');
    this.#reserve(9);
    this.#buffer[this.#position] = tag.newFloat;
    this.#view.setFloat64(this.#position + 1, value);
    this.#position += 9;
  }

  #bigint(value: bigint): void {
    if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) return this.integer(Number(value));
    let hex = (value < 0n ? -value : value).toString(16);
    if (hex.length % 2 === 1) hex = `0${hex}`;
    const digits = Buffer.from(hex, 'hex').reverse();
    this.#reserve(6 + digits.length);
    if (digits.length < 256) {
      this.byte(tag.smallBig);
      this.byte(digits.length);
    } else {
      this.byte(tag.largeBig);
      this.uint32(digits.length);
    }
    this.byte(value < 0n ? 1 : 0);
    this.raw(digits);
  }

  #port(port: Port): void {
    this.byte(tag.v4Port);
    this.atom(port.node);
    this.#reserve(8);
    this.#view.setBigUint64(this.#position, port.id);
    this.#position += 8;
    this.uint32(port.creation);
  }

  #exportFun(fun: ExportFun): void {
    this.byte(tag.exportFun);
    this.atom(fun.module);
    this.atom(fun.function);
    this.integer(fun.arity);
  }

  #fun(fun: Fun, depth: number): void {
    this.byte(tag.newFun);
    const size = this.length;
    this.uint32(0);
    this.byte(fun.arity);
    this.raw(fun.uniq);
    this.uint32(fun.index);
    this.uint32(fun.free.length);
    this.atom(fun.module);
    this.integer(fun.oldIndex);
    this.integer(fun.oldUniq);
    this.term(fun.creator, depth);
    for (const item of fun.free) this.term(item, depth);
    this.patchUint32(size, this.length - size);
  }

  /** Bytes that were encoded before. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#position);
    this.#position += bytes.length;
  }

  /** The same, where they are few and come again and again. */
  piece(pattern: BytePattern): void {
    this.#reserve(pattern.length);
    pattern.write(this.#view, this.#position);
    this.#position += pattern.length;
  }

  #reserve(bytes: number): void {
    const needed = this.#position + bytes;
    if (needed <= this.#buffer.length) return;
    const open = this.#position - this.#start;
    const slab = Buffer.allocUnsafeSlow(Math.max(this.#slabSize, 2 * open + bytes));
    this.#buffer.copy(slab, 0, this.#start, this.#position);
    this.#buffer = slab;
    this.#view = viewOf(slab);
    this.#start = 0;
    this.#position = open;
  }
}

/** One term with the version byte in front, as `term_to_binary` gives it. */
export function encodeTerm(value: unknown): Buffer {
  const encoder = new Encoder(256);
  encoder.byte(tag.version);
  try {
    encoder.term(value);
  } catch (error) {
    throw located(error, value);
  }
  return encoder.take();
}

/** The same error with the path to what is wrong, for who has to find it. */
export function located(error: unknown, term: unknown): unknown {
  if (!(error instanceof TermError)) return error;
  return new TermError(error.what, pathOfFault(term, isTerm));
}

function isTerm(value: unknown): boolean {
  try {
    new Encoder(256).term(value);
    return true;
  } catch (error) {
    if (error instanceof TermError) return false;
    throw error;
  }
}

/** UTF-8 has no place for the halves; what would be written instead of one is another text. */
function wellFormed(text: string): string {
  if (text.isWellFormed()) return text;
  throw new TermError('half of a surrogate pair in a text', 'a text');
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

function encodeAtom(name: string): Buffer {
  if ([...name].length > 255) throw new TermError('an atom has at most 255 characters', `"${name.slice(0, 20)}…"`);
  const text = Buffer.from(wellFormed(name));
  if (text.length < 256) return Buffer.concat([Buffer.of(tag.smallAtomUtf8, text.length), text]);
  return Buffer.concat([Buffer.of(tag.atomUtf8, text.length >> 8, text.length & 255), text]);
}

function isPidLike(value: object): value is PidLike {
  return 'serial' in value && 'creation' in value && 'node' in value && 'id' in value;
}
