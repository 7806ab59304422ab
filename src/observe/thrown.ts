/**
 * What was thrown, made safe to look at. JavaScript throws anything: `undefined`, an object without a prototype, a Proxy whose
 * traps throw, an Error whose `message` does. Whoever catches what is not its own takes it through here before it is read.
 */
import { inspect, types } from 'node:util';

/** Longest text of something that is no Error. */
const maxTextLength = 500;

/** The thrown thing itself if it is an Error that can be read, else an Error that tells what it was. */
export function asError(thrown: unknown): Error {
  return isReadableError(thrown) ? thrown : new Error(textOfOther(thrown));
}

/** What went wrong, in words. */
export function textOf(thrown: unknown): string {
  return asError(thrown).message;
}

/** The same with the name of the Error before it. */
export function titleOf(thrown: unknown): string {
  return isReadableError(thrown) ? `${thrown.name}: ${thrown.message}` : textOfOther(thrown);
}

/** The stack of an Error; of anything else its text: where it was thrown from is not known. */
export function stackOf(thrown: unknown): string {
  try {
    if (isReadableError(thrown) && typeof thrown.stack === 'string') return thrown.stack;
  } catch {
    // `stack` throws: the title is left.
  }
  return titleOf(thrown);
}

function isReadableError(thrown: unknown): thrown is Error {
  try {
    if (types.isProxy(thrown) || !(thrown instanceof Error)) return false;
    // Not `stack`, which is made when it is first read, and is seldom wanted.
    return typeof thrown.name === 'string' && typeof thrown.message === 'string';
  } catch {
    return false;
  }
}

function textOfOther(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    const text = inspect(thrown, {
      customInspect: false,
      depth: 0,
      maxStringLength: maxTextLength,
      breakLength: Infinity,
    });
    return `${text.slice(0, maxTextLength)} was thrown`;
  } catch {
    return 'something that cannot be shown was thrown';
  }
}
