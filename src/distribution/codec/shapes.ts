/**
 * What the maps of one peer look like: most are of a few kinds, each with the same keys in the same order. Known kinds form
 * a tree, from the number of pairs through one key after the other to the kind, so that reading a key is comparing bytes
 * with those of the key that came there last time.
 *
 *   4 pairs ── type ── channel ── n ── text ●        ● makes an object of the four values at once
 *                 └─── sid ── event ── data ●
 *
 * Everything here is bounded: keys beyond the bounds are read the long way. Keys that differ only in being an atom or a
 * binary are different keys with one name, so no kind has both.
 */
import { BytePattern } from './byte-pattern.ts';

/** Maps with more pairs are tables, not messages. */
const maxPairs = 16;
/** Bytes of the longest key that is learned, its tag and length included. */
const longestKey = 64;
/** Keys that can follow the same keys. The one that was not met for the longest time makes room. */
const maxNext = 8;
/** Beyond so many keys all is forgotten, and what is in use is learned again. */
const maxShapes = 2048;
/** Only each so manieth unknown key is learned: where keys are data, learning them is a waste. */
const learnEach = 4;
/** How often a kind must come before it is worth a compiled factory. */
const usesToCompile = 64;
/** Compiled factories of all peers together. */
const maxFactories = 512;
/** How often a text must come in a row at the same key to be looked for first. */
const repeatsToRecall = 4;
/** Bytes of the longest text that is looked for first, its tag and length included. */
const longestRecalled = 37;

/** Makes an object of the values from `base` on. */
type Factory = (values: readonly unknown[], base: number) => Record<string, unknown>;

const factories = new Map<string, Factory>();

/** One key, after those of its parents. */
export class Shape {
  /** The names of the keys up to this one. */
  readonly keys: readonly string[];
  /** Those of them that are atoms. */
  readonly atoms: ReadonlySet<string>;
  /** The bytes of this key. */
  readonly piece: BytePattern | undefined;
  #next: Shape[] = [];
  #unknown = 0;
  #uses = 0;
  #factory: Factory | undefined;
  /** The text that comes with this key, if it is mostly the same. */
  text = '';
  #recalled: BytePattern | undefined;
  #lastText: string | undefined;
  #repeats = 0;

  constructor(keys: readonly string[], atoms: ReadonlySet<string>, pattern: BytePattern | undefined) {
    this.keys = keys;
    this.atoms = atoms;
    this.piece = pattern;
  }

  /** Bytes of this key. */
  get length(): number {
    return this.piece === undefined ? 0 : this.piece.length;
  }

  /** The shape that the key at that place leads to, if it is known. */
  follow(view: DataView, at: number, end: number): Shape | undefined {
    const first = this.#next[0];
    if (first === undefined) return undefined;
    const { piece: pattern } = first;
    if (pattern !== undefined && at + pattern.length <= end && pattern.isAt(view, at)) return first;
    return this.#search(view, at, end);
  }

  #search(view: DataView, at: number, end: number): Shape | undefined {
    const next = this.#next;
    for (let i = 1; i < next.length; i += 1) {
      const shape = next[i]!;
      if (at + shape.length > end || !shape.piece!.isAt(view, at)) continue;
      next.splice(i, 1);
      next.unshift(shape);
      return shape;
    }
    return undefined;
  }

  /** Whether the next unknown key is to be learned. */
  get learns(): boolean {
    this.#unknown += 1;
    return this.#unknown % learnEach === 1;
  }

  add(shape: Shape): void {
    if (this.#next.length === maxNext) this.#next.pop();
    this.#next.unshift(shape);
  }

  /** Bytes of `text` if it is the value at that place, else 0. */
  recall(view: DataView, at: number, end: number): number {
    const recalled = this.#recalled;
    return recalled !== undefined && at + recalled.length <= end && recalled.isAt(view, at) ? recalled.length : 0;
  }

  /** The value of this key was a text, found from `start` to `end`. */
  notice(text: string, view: DataView, start: number, end: number): void {
    if (end - start > longestRecalled) return;
    if (text !== this.#lastText) {
      this.#lastText = text;
      this.#repeats = 0;
      return;
    }
    this.#repeats += 1;
    if (this.#repeats < repeatsToRecall) return;
    this.text = text;
    this.#recalled = new BytePattern(view, start, end - start);
  }

  /** The object of this kind with the values from `base` on. */
  make(values: readonly unknown[], base: number): Record<string, unknown> {
    return this.#factory === undefined ? this.#assemble(values, base) : this.#factory(values, base);
  }

  #assemble(values: readonly unknown[], base: number): Record<string, unknown> {
    this.#uses += 1;
    if (this.#uses === usesToCompile) this.#factory = factoryOf(this.keys);
    const record: Record<string, unknown> = {};
    for (let i = 0; i < this.keys.length; i += 1) record[this.keys[i]!] = values[base + i];
    return record;
  }
}

const noAtoms: ReadonlySet<string> = new Set();

/** The shapes of one peer. */
export class Shapes {
  #roots: Shape[] = [];
  #count = 0;

  constructor() {
    this.#clear();
  }

  #clear(): void {
    this.#count = 0;
    this.#roots = Array.from({ length: maxPairs + 1 }, () => new Shape([], noAtoms, undefined));
  }

  /** Where maps of so many pairs begin; undefined if there are too many to know them. */
  root(pairs: number): Shape | undefined {
    return this.#roots[pairs];
  }

  /**
   * Learns the key that lies in the view from `start` to `end`, after those of `shape`.
   * @returns undefined if it is no key to learn: too long, too rare, there already, or a name with a meaning of its own
   */
  learn(shape: Shape, key: string, isAtom: boolean, view: DataView, start: number, end: number): Shape | undefined {
    if (end - start > longestKey || key === '__proto__' || shape.keys.includes(key) || !shape.learns) return undefined;
    if (this.#count === maxShapes) this.#clear();
    this.#count += 1;
    const atoms = isAtom ? new Set([...shape.atoms, key]) : shape.atoms;
    const learned = new Shape([...shape.keys, key], atoms, new BytePattern(view, start, end - start));
    shape.add(learned);
    return learned;
  }
}

/**
 * An object literal with these keys: several times as fast as one assignment after the other. The names stand in it as
 * quoted strings, and `__proto__`, the only one that a literal understands otherwise, is never among them.
 */
function factoryOf(keys: readonly string[]): Factory | undefined {
  const name = JSON.stringify(keys);
  let factory = factories.get(name);
  if (factory === undefined && factories.size < maxFactories) {
    const pairs = keys.map((key, i) => `${JSON.stringify(key)}: values[base + ${i}]`);
    factory = new Function('values', 'base', `return { ${pairs.join(', ')} };`) as Factory;
    factories.set(name, factory);
  }
  return factory;
}
