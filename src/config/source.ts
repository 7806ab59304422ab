/** Reads the files of a configuration and remembers of every value where it came from. */
import { dirname, isAbsolute, join } from 'node:path';
import type { ErrorCode } from '../observe/errors.ts';
import { expandEnvironment } from './environment.ts';
import { type JsonDocument, JsonSyntaxError, parseJson, pointerSegments, pointerTo } from './json.ts';
import { type Finding, type Problem, problemAt } from './problem.ts';
import { NoFile, type ReadFile, readRegularFile } from './read-file.ts';

/** What put a value into a source from outside of its file. */
export interface Origin {
  /** As errors call it. */
  readonly name: string;
  /** Text that must not be shown, nor any part of the value. */
  readonly secret?: string;
}

/** One value (a whole file, or a section) and the place it stands at. */
export class Source {
  #value: unknown;
  readonly file: string;
  /** Dotted path of the value in the configuration; empty for the main file. */
  readonly #path: string;
  readonly #document: JsonDocument;
  /** Pointer of the value within its file. */
  readonly #base: string;
  readonly #inserted: ReadonlyMap<string, readonly string[]>;
  /** By pointer, relative to the value. */
  readonly #origins = new Map<string, Origin>();

  constructor(parts: {
    value: unknown;
    file: string;
    path: string;
    document: JsonDocument;
    base: string;
    inserted: ReadonlyMap<string, readonly string[]>;
  }) {
    this.#value = parts.value;
    this.file = parts.file;
    this.#path = parts.path;
    this.#document = parts.document;
    this.#base = parts.base;
    this.#inserted = parts.inserted;
  }

  get value(): unknown {
    return this.#value;
  }

  /** Puts a value at a pointer whose parent is there. Problems with it will name its origin. */
  put(pointer: string, value: unknown, origin?: Origin): void {
    const segments = pointerSegments(pointer);
    const last = segments.pop();
    if (last === undefined) {
      this.#value = value;
    } else {
      const holder = valueAt(this.#value, segments.reduce(pointerTo, ''));
      Object.defineProperty(holder, last, { value, enumerable: true, writable: true, configurable: true });
    }
    if (!origin) return;
    for (const below of [...this.#origins.keys()]) if (isWithin(below, pointer)) this.#origins.delete(below);
    this.#origins.set(pointer, origin);
  }

  /** Paths of the values that were put in from outside of the file. */
  get overridden(): string[] {
    const place = { path: this.#path, root: this.#value };
    return [...this.#origins.keys()].map((pointer) => problemAt(place, 'invalid_config', { pointer, reason: '' }).path);
  }

  /** The member `key` of this source's object, still in the same file. */
  member(key: string, value: unknown): Source {
    return new Source({
      value,
      file: this.file,
      path: key,
      document: this.#document,
      base: pointerTo(this.#base, key),
      inserted: this.#inserted,
    });
  }

  problem(code: ErrorCode, finding: Finding): Problem {
    const isHidden = (pointer: string) =>
      this.#inserted.has(this.#base + pointer) || this.#originOf(pointer)?.secret !== undefined;
    const problem = problemAt({ path: this.#path, root: this.#value, isHidden }, code, finding);
    const origin = this.#originOf(finding.pointer);
    if (origin) return { file: origin.name, ...problem };
    const position = this.#position(finding.pointer);
    return { file: this.file, ...(position ? { position } : {}), ...problem };
  }

  /** `text` without anything that the environment put into the values at or below `pointer`. */
  withoutInserted(pointer: string, text: string): string {
    const hidden: string[] = [];
    for (const [at, values] of this.#inserted) if (isWithin(at, this.#base + pointer)) hidden.push(...values);
    for (const [at, { secret }] of this.#origins) {
      if (secret === undefined || !(isWithin(at, pointer) || isWithin(pointer, at))) continue;
      hidden.push(secret, ...textsIn(valueAt(this.#value, at)));
    }
    // The longest first: one may be part of another.
    const texts = hidden.filter((value) => value !== '').sort((a, b) => b.length - a.length);
    return texts.reduce((clean, value) => clean.replaceAll(value, '***'), text);
  }

  /** Of the value, or of what holds it. */
  #originOf(pointer: string): Origin | undefined {
    for (const [at, origin] of this.#origins) if (isWithin(pointer, at)) return origin;
    return undefined;
  }

  /** Of the value, or if it is missing or a default, of what encloses it. */
  #position(pointer: string) {
    const segments = pointerSegments(this.#base + pointer);
    for (;;) {
      const found = this.#document.position(segments.reduce(pointerTo, ''));
      if (found || segments.length === 0) return found;
      segments.pop();
    }
  }
}

function isWithin(pointer: string, parent: string): boolean {
  return pointer === parent || pointer.startsWith(`${parent}/`);
}

function valueAt(root: unknown, pointer: string): unknown {
  return pointerSegments(pointer).reduce<unknown>((object, segment) => Reflect.get(Object(object), segment), root);
}

/** Every string within a value. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** What one file says; its mistakes go to `problems`, paths in them start with `path`. Undefined if there is no value. */
function parseSource(
  bytes: Buffer,
  file: string,
  path: string,
  env: NodeJS.ProcessEnv,
  problems: Problem[],
  unexpanded: Problem[],
): Source | undefined {
  let document: JsonDocument;
  try {
    document = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    problems.push(readFailure(file, path, error));
    return undefined;
  }
  const { value, inserted, findings } = expandEnvironment(document.value, env);
  const source = new Source({ value, file, path, document, base: '', inserted });
  for (const { pointer, first, again } of document.duplicates) {
    const reason = `the key occurs twice, first at ${first.line}:${first.column}`;
    problems.push({ ...source.problem('invalid_config', { pointer, reason }), position: again });
  }
  for (const finding of findings) unexpanded.push(source.problem('invalid_config', finding));
  return source;
}

function readFailure(file: string, path: string, error: unknown): Problem {
  if (error instanceof JsonSyntaxError) {
    const { position, message } = error;
    return { file, position, path, code: 'invalid_json', reason: message };
  }
  if (error instanceof NoFile) return { file, path, code: 'file_error', reason: error.message };
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
    return { file, path, code: 'invalid_json', reason: 'the file is not UTF-8 text' };
  }
  if (code === 'ENOENT') return { file, path, code: 'file_missing', reason: 'the file does not exist' };
  if (typeof code === 'string') return { file, path, code: 'file_error', reason: `the file cannot be read (${code})` };
  throw error;
}

/** `$schema` in a section's own file is for editors. */
function dropSchemaReference(value: unknown): void {
  if (typeof value === 'object' && value !== null) Reflect.deleteProperty(value, '$schema');
}

/** The files of one configuration. */
export class SourceReader {
  readonly problems: Problem[] = [];
  /** Strings in which no variable could be put. */
  readonly unexpanded: Problem[] = [];
  /** Every file that was read. */
  readonly files: string[] = [];
  readonly #mainFile: string;
  readonly #env: NodeJS.ProcessEnv;
  #mainIdentity: string | undefined;

  constructor(mainFile: string, env: NodeJS.ProcessEnv) {
    this.#mainFile = mainFile;
    this.#env = env;
  }

  main(): Source | undefined {
    const read = this.#read(this.#mainFile, '');
    this.#mainIdentity = read?.identity;
    return read && parseSource(read.bytes, this.#mainFile, '', this.#env, this.problems, this.unexpanded);
  }

  /** A section's own source: a string names a file relative to the main file, which may in turn name another. */
  follow(section: Source, path: string): Source | undefined {
    const chain: string[] = [];
    const identities = [this.#mainIdentity];
    let current: Source = section;
    while (typeof current.value === 'string') {
      const name = current.value;
      const file = isAbsolute(name) ? name : join(dirname(this.#mainFile), name);
      const read = this.#read(file, path);
      if (!read) return undefined;
      if (identities.includes(read.identity)) {
        const own = read.identity === this.#mainIdentity ? 'that is the main file itself' : undefined;
        const reason = own ?? `the files include each other: ${[...chain, file].join(' → ')}`;
        this.problems.push(current.problem('file_error', { pointer: '', reason, value: name }));
        return undefined;
      }
      chain.push(file);
      identities.push(read.identity);
      const next = parseSource(read.bytes, file, path, this.#env, this.problems, this.unexpanded);
      if (!next) return undefined;
      current = next;
    }
    if (chain.length > 0) dropSchemaReference(current.value);
    return current;
  }

  #read(file: string, path: string): ReadFile | undefined {
    if (!this.files.includes(file)) this.files.push(file);
    try {
      return readRegularFile(file);
    } catch (error) {
      this.problems.push(readFailure(file, path, error));
      return undefined;
    }
  }

  /**
   * `problems` with those of unexpanded strings, about which nothing else can be said; what was put in the place of one, or of
   * what holds it, is not missed. @param section the only one that matters, if not all do
   */
  withUnexpanded(problems: readonly Problem[], sources: Iterable<Source>, section?: string): Problem[] {
    const overridden = [...sources].flatMap((source) => source.overridden);
    const missed = this.unexpanded
      .filter(({ path }) => section === undefined || isBelow(path, section))
      .filter(({ path }) => !overridden.some((above) => isBelow(path, above)));
    const isMissed = ({ file, path }: Problem) => missed.some((other) => other.file === file && other.path === path);
    return [...missed, ...problems.filter((problem) => !isMissed(problem))];
  }
}

/** Whether a dotted path is that of a value or of something in it. */
function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}.`) || path.startsWith(`${above}[`);
}
