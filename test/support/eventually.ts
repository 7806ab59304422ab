/** Waits for a condition instead of a time. */
import { setTimeout as delay } from 'node:timers/promises';

/** The first truthy value of `probe`; fails after `limitMs`, saying what was waited for. */
export async function eventually<Value>(
  probe: () => Value | undefined | null | false | Promise<Value | undefined | null | false>,
  what: string,
  limitMs = 10_000,
): Promise<Value> {
  for (const deadline = performance.now() + limitMs; performance.now() < deadline; await delay(5)) {
    const value = await probe();
    if (value) return value;
  }
  throw new Error(`waited in vain for ${what}`);
}

interface Emitter {
  once(event: string, listener: (value: unknown) => void): unknown;
}

/** The first argument of an emitter's next event of that name. */
export function next(emitter: Emitter, event: string, limitMs = 10_000): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${event}`)), limitMs);
    emitter.once(event, (value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
