/** What is wrong with a configuration, said so that its author can fix it. */
import { catalogue, type ErrorCode, HiveError } from '../observe/errors.ts';
import { type JsonPosition, pointerSegments, pointerTo } from './json.ts';

export interface Problem {
  /** The file in which the value stands, as the main file's path and the include named it. Absent: not from a file. */
  readonly file?: string;
  readonly position?: JsonPosition;
  /** Dotted path from the section on, `clients.hooks.greet[0].args`; empty for the file itself. */
  readonly path: string;
  readonly code: ErrorCode;
  readonly reason: string;
  /** The value as it may be shown: absent if there is none or it is secret. */
  readonly value?: unknown;
  /** The known word that is most like the unknown one. */
  readonly suggestion?: string;
}

/** A configuration with problems. Its code is that of the first one. */
export class ConfigError extends HiveError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly [Problem, ...Problem[]]) {
    super(problems[0].code, problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * A problem with what somebody sends at run time. The log shows of it what comes from a schema, and nothing of what was sent,
 * which a plugin's own reason may quote.
 */
export function problemError(problem: Problem, from: 'schema' | 'plugin'): HiveError {
  const summary = from === 'schema' ? problem.reason : catalogue[problem.code].text;
  return new HiveError(problem.code, formatProblem(problem), { summary });
}

const maxShownLength = 80;

/** One line: `file:line:column: path: value → reason (did you mean "x"?)`, without the parts that are absent. */
export function formatProblem(problem: Problem): string {
  const { file, position, path, value, reason, suggestion } = problem;
  const place = file === undefined ? '' : `${file}${position ? `:${position.line}:${position.column}` : ''}: `;
  const what = [path, value === undefined ? '' : shown(value)].filter((part) => part !== '').join(': ');
  const hint = suggestion === undefined ? '' : ` (did you mean ${JSON.stringify(suggestion)}?)`;
  return `${place}${what === '' ? '' : `${what} → `}${reason}${hint}`;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= maxShownLength ? text : `${text.slice(0, maxShownLength - 1)}…`;
}

/** What a check found at a JSON pointer, before it is known where the checked value stands. */
export interface Finding {
  readonly pointer: string;
  readonly reason: string;
  readonly value?: unknown;
  readonly suggestion?: string;
}

export interface Place {
  /** Dotted path of the value that pointers are relative to. */
  readonly path: string;
  /** That value itself: it tells elements of arrays from members of objects. */
  readonly root: unknown;
  /** True for pointers to values that must not be shown. */
  isHidden?(pointer: string): boolean;
}

/** A finding as a problem, with nothing in it that must not be shown. */
export function problemAt(place: Place, code: ErrorCode, finding: Finding): Problem {
  const { pointer, reason, value, suggestion } = finding;
  const path = dottedPath(place.path, pointer, place.root);
  const shown = value === undefined ? {} : { value: showable(value, pointer, (at) => place.isHidden?.(at) ?? false) };
  return { path, code, reason, ...shown, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** Keys whose values are never shown, wherever they stand. */
const secretKey = /(?:hash|password|cluster_cookie|passphrase)$/i;
const hidden = '***';
/** User name and password in a URL. */
const credentials = /(?<=:\/\/)[^/@\s]*(?=@)/g;

function showable(value: unknown, pointer: string, isHidden: (pointer: string) => boolean): unknown {
  if (isHidden(pointer) || secretKey.test(pointer)) return hidden;
  if (typeof value === 'string') return value.replace(credentials, hidden);
  if (Array.isArray(value))
    return value.map((element, index) => showable(element, pointerTo(pointer, index), isHidden));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, showable(member, pointerTo(pointer, key), isHidden)]),
  );
}

function dottedPath(start: string, pointer: string, root: unknown): string {
  let path = start;
  let value = root;
  for (const segment of pointerSegments(pointer)) {
    if (Array.isArray(value)) path += `[${segment}]`;
    else path += path === '' ? segment : `.${segment}`;
    value = typeof value === 'object' && value !== null ? Reflect.get(value, segment) : undefined;
  }
  return path;
}
