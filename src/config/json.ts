/**
 * A JSON parser for files that people write: besides the value it knows where every value stands, notices keys that
 * occur twice, and says what is wrong in words. Messages from the network are not its business.
 *
 * Source: RFC 8259. Stricter in one point: integers that JavaScript cannot hold exactly are refused rather than rounded.
 */

export interface JsonPosition {
  /** Both counted from 1; columns in UTF-16 units. */
  readonly line: number;
  readonly column: number;
}

export interface JsonDocument {
  readonly value: unknown;
  /** Where the value at a JSON pointer (RFC 6901) starts; a member starts at its key. */
  position(pointer: string): JsonPosition | undefined;
  readonly duplicates: readonly {
    readonly pointer: string;
    readonly first: JsonPosition;
    readonly again: JsonPosition;
  }[];
}

export class JsonSyntaxError extends Error {
  readonly position: JsonPosition;

  constructor(message: string, position: JsonPosition) {
    super(message);
    this.name = 'JsonSyntaxError';
    this.position = position;
  }
}

/** Throws `JsonSyntaxError` at the first mistake. */
export function parseJson(text: string): JsonDocument {
  return new Parser(text).document();
}

/** One more segment for a JSON pointer. */
export function pointerTo(parent: string, segment: string | number): string {
  return `${parent}/${String(segment).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The segments of a JSON pointer. */
export function pointerSegments(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Deep enough for any configuration, shallow enough for the stack. */
const maxDepth = 200;
const escapes: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};
const numberForm = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const wordForm = /[A-Za-z_$][\w$]*/y;
const constants = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

class Parser {
  readonly #text: string;
  #at = 0;
  readonly #starts = new Map<string, number>();
  readonly #duplicates: { pointer: string; first: number; again: number }[] = [];

  constructor(text: string) {
    this.#text = text.startsWith('\ufeff') ? text.slice(1) : text;
  }

  document(): JsonDocument {
    this.#space();
    if (this.#at === this.#text.length) this.#fail('the file is empty');
    const value = this.#value('', 0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('unexpected text after the end of the JSON value');
    return {
      value,
      position: (pointer) => {
        const start = this.#starts.get(pointer);
        return start === undefined ? undefined : this.#position(start);
      },
      duplicates: this.#duplicates.map(({ pointer, first, again }) => ({
        pointer,
        first: this.#position(first),
        again: this.#position(again),
      })),
    };
  }

  #value(pointer: string, depth: number): unknown {
    if (depth > maxDepth) this.#fail(`nested deeper than ${maxDepth} levels`);
    if (!this.#starts.has(pointer)) this.#starts.set(pointer, this.#at);
    const first = this.#text[this.#at];
    if (first === '{') return this.#object(pointer, depth);
    if (first === '[') return this.#array(pointer, depth);
    if (first === '"') return this.#string();
    if (first === '-' || (first !== undefined && first >= '0' && first <= '9')) return this.#number();
    return this.#word();
  }

  #object(pointer: string, depth: number): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    const seen = new Map<string, number>();
    this.#at += 1;
    this.#space();
    if (this.#take('}')) return members;
    for (;;) {
      const start = this.#at;
      if (this.#text[start] !== '"') this.#fail('expected a key in double quotes');
      const key = this.#string();
      const member = pointerTo(pointer, key);
      this.#space();
      if (!this.#take(':')) this.#fail(`expected ":" after the key ${JSON.stringify(key)}`);
      this.#space();
      const first = seen.get(key);
      if (first !== undefined) this.#duplicates.push({ pointer: member, first, again: start });
      seen.set(key, start);
      if (!this.#starts.has(member)) this.#starts.set(member, start);
      const value = this.#value(member, depth + 1);
      // defined, not assigned: a key may be "__proto__"
      if (first === undefined) {
        Object.defineProperty(members, key, { value, enumerable: true, writable: true, configurable: true });
      }
      this.#space();
      if (this.#take('}')) return members;
      if (!this.#take(',')) this.#fail('expected "," or "}" after a member');
      this.#space();
      if (this.#text[this.#at] === '}') this.#fail('a comma before "}"');
    }
  }

  #array(pointer: string, depth: number): unknown[] {
    const elements: unknown[] = [];
    this.#at += 1;
    this.#space();
    if (this.#take(']')) return elements;
    for (;;) {
      elements.push(this.#value(pointerTo(pointer, elements.length), depth + 1));
      this.#space();
      if (this.#take(']')) return elements;
      if (!this.#take(',')) this.#fail('expected "," or "]" after an element');
      this.#space();
      if (this.#text[this.#at] === ']') this.#fail('a comma before "]"');
    }
  }

  #string(): string {
    const start = this.#at;
    let result = '';
    this.#at += 1;
    for (;;) {
      const unit = this.#text[this.#at];
      if (unit === undefined || unit === '\n') this.#fail('a string without closing quote', start);
      if (unit < ' ') this.#fail('a control character inside a string');
      this.#at += 1;
      if (unit === '"') return result;
      result += unit === '\\' ? this.#escape() : unit;
    }
  }

  #escape(): string {
    const letter = this.#text[this.#at] ?? '';
    if (letter === 'u') {
      const digits = this.#text.slice(this.#at + 1, this.#at + 5);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('expected four hexadecimal digits after "\\u"');
      this.#at += 5;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const meant = escapes[letter];
    if (meant === undefined) this.#fail('no such escape; a backslash is written "\\\\"', this.#at - 1);
    this.#at += 1;
    return meant;
  }

  #number(): number {
    const start = this.#at;
    numberForm.lastIndex = start;
    const match = numberForm.exec(this.#text);
    if (!match) this.#fail('malformed number');
    this.#at = numberForm.lastIndex;
    if (/[\w.]/.test(this.#text[this.#at] ?? '')) this.#fail('malformed number', start);
    const value = Number(match[0]);
    const isInteger = match[1] === undefined && match[2] === undefined;
    if (!Number.isFinite(value) || (isInteger && !Number.isSafeInteger(value))) {
      this.#fail('a number too large to be kept exactly; write it as a string', start);
    }
    return value;
  }

  #word(): unknown {
    wordForm.lastIndex = this.#at;
    const word = wordForm.exec(this.#text)?.[0];
    if (word !== undefined && constants.has(word)) {
      this.#at += word.length;
      return constants.get(word);
    }
    if (word !== undefined) this.#fail(`${word} is not a JSON value; strings need double quotes`);
    const unit = this.#text[this.#at];
    if (unit === undefined) this.#fail('the file ends too early');
    if (unit === "'") this.#fail('strings need double quotes');
    return this.#fail(`expected a JSON value, found ${JSON.stringify(unit)}`);
  }

  #take(unit: string): boolean {
    if (this.#text[this.#at] !== unit) return false;
    this.#at += 1;
    return true;
  }

  #space(): void {
    for (;;) {
      const unit = this.#text[this.#at];
      if (unit === '/' || unit === '#') this.#fail('JSON has no comments');
      if (unit !== ' ' && unit !== '\n' && unit !== '\t' && unit !== '\r') return;
      this.#at += 1;
    }
  }

  #position(offset: number): JsonPosition {
    const before = this.#text.slice(0, offset);
    return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
  }

  #fail(message: string, offset = this.#at): never {
    throw new JsonSyntaxError(message, this.#position(offset));
  }
}
