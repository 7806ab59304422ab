/**
 * Terms of Erlang that have no counterpart in JavaScript.
 *
 * | Erlang                | JavaScript                                                                        |
 * |-----------------------|-----------------------------------------------------------------------------------|
 * | integer               | number if safe, else bigint                                                       |
 * | float                 | number (a whole one comes back as an integer when it is sent on)                  |
 * | binary                | string if it is UTF-8, else Buffer                                                |
 * | binary as a bitstring | Buffer; this is how a Uint8Array is sent, so that between our nodes it stays one, but for an empty one |
 * | `true` `false` `null` `undefined` | the values of those names                                             |
 * | other atom            | Atom                                                                              |
 * | list                  | array (an improper one: ImproperList)                                             |
 * | tuple                 | Tuple                                                                             |
 * | map                   | object if every key is a UTF-8 binary or an atom, else Map                        |
 * | pid, reference, port  | Pid, Reference, Port                                                              |
 * | fun, bitstring        | Fun, ExportFun, BitString                                                         |
 *
 * Source: External Term Format.
 */

/** What is wrong with a term, and where: the byte offset when decoding, the path when encoding. */
export class TermError extends Error {
  readonly what: string;
  constructor(what: string, where: string) {
    super(`${what} at ${where}`);
    this.name = 'TermError';
    this.what = what;
  }
}

/** Two atoms are the same if their names are; use `isAtom` to compare. */
export class Atom {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  toString(): string {
    return this.name;
  }
}

const atoms = new Map<string, Atom>();
/** Atoms of this node's own kept for reuse. Names beyond this are still fine, they only make new objects. */
const maxKeptAtoms = 4096;

/** The atom of that name (at most 255 characters), the same object each time for the first few thousand names. */
export function atom(name: string): Atom {
  const known = atoms.get(name);
  if (known) return known;
  const made = new Atom(name);
  if (atoms.size < maxKeptAtoms) atoms.set(name, made);
  return made;
}

export function isAtom(value: unknown, name: string): boolean {
  return value instanceof Atom && value.name === name;
}

export class Tuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

export function tuple(...items: unknown[]): Tuple {
  return new Tuple(items);
}

/** A process of another node, or of this one as another node names it. */
export class Pid {
  readonly node: string;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
  constructor(node: string, id: number, serial: number, creation: number) {
    this.node = node;
    this.id = id;
    this.serial = serial;
    this.creation = creation;
  }
  toString(): string {
    return `<${this.node}.${this.id}.${this.serial}.${this.creation}>`;
  }
}

/** `words` are three to five numbers of 32 bits. */
export class Reference {
  readonly node: string;
  readonly creation: number;
  readonly words: readonly number[];
  constructor(node: string, creation: number, words: readonly number[]) {
    this.node = node;
    this.creation = creation;
    this.words = words;
  }
  /** The same text for the same reference: a key for maps. */
  toString(): string {
    return `#${this.node}.${this.creation}.${this.words.join('.')}`;
  }
}

export class Port {
  readonly node: string;
  readonly id: bigint;
  readonly creation: number;
  constructor(node: string, id: bigint, creation: number) {
    this.node = node;
    this.id = id;
    this.creation = creation;
  }
}

/** `[a, b | tail]`. */
export class ImproperList {
  readonly items: readonly unknown[];
  readonly tail: unknown;
  constructor(items: readonly unknown[], tail: unknown) {
    this.items = items;
    this.tail = tail;
  }
}

/** A bitstring whose last byte counts only with its first `bits` (1 to 7) bits. */
export class BitString {
  readonly bytes: Uint8Array;
  readonly bits: number;
  constructor(bytes: Uint8Array, bits: number) {
    this.bytes = bytes;
    this.bits = bits;
  }
}

/** `fun Module:Function/Arity`. */
export class ExportFun {
  readonly module: string;
  readonly function: string;
  readonly arity: number;
  constructor(module: string, name: string, arity: number) {
    this.module = module;
    this.function = name;
    this.arity = arity;
  }
}

/** A closure of another node. It cannot be called here, only handed back. */
export class Fun {
  readonly module: string;
  readonly arity: number;
  /** 16 bytes. */
  readonly uniq: Uint8Array;
  readonly index: number;
  readonly oldIndex: number;
  readonly oldUniq: number;
  readonly creator: unknown;
  readonly free: readonly unknown[];
  constructor(parts: Omit<Fun, never>) {
    this.module = parts.module;
    this.arity = parts.arity;
    this.uniq = parts.uniq;
    this.index = parts.index;
    this.oldIndex = parts.oldIndex;
    this.oldUniq = parts.oldUniq;
    this.creator = parts.creator;
    this.free = parts.free;
  }
}

/** A number that is sent as a float even if it is whole. Decoding gives plain numbers. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** Tags of the External Term Format. */
export const tag = {
  version: 131,
  newFloat: 70,
  bitBinary: 77,
  compressed: 80,
  newPid: 88,
  newPort: 89,
  newerReference: 90,
  smallInteger: 97,
  integer: 98,
  float: 99,
  atom: 100,
  reference: 101,
  port: 102,
  pid: 103,
  smallTuple: 104,
  largeTuple: 105,
  nil: 106,
  string: 107,
  list: 108,
  binary: 109,
  smallBig: 110,
  largeBig: 111,
  newFun: 112,
  exportFun: 113,
  newReference: 114,
  smallAtom: 115,
  map: 116,
  atomUtf8: 118,
  smallAtomUtf8: 119,
  v4Port: 120,
} as const;
