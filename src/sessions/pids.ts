/**
 * Pids: the secret with which a client returns to its session. Nothing keeps them: a pid is the session id and a MAC over it and the
 * namespace. Neither metadata nor log nor monitor has them.
 *
 *   <sid> . <132 bits of HMAC-SHA-256(secret, sid NUL namespace), base64url>
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const macLength = 22;
/** Of whatever node and boot. */
const form = /^([\w-]{30})\.([\w-]{22})$/;

/** Whether it looks like one, whoever made it. */
export function isPid(value: unknown): value is string {
  return typeof value === 'string' && form.test(value);
}

/** The session id in what looks like a pid. Only who made the pid can tell whether it is one. */
export function sidIn(pid: string): string {
  return pid.slice(0, pid.indexOf('.'));
}

export class Pids {
  #secret: Buffer;

  /** @param secret never something that others could guess, as a cookie that is a cluster's name */
  constructor(secret: Buffer = randomBytes(32)) {
    this.#secret = secret;
  }

  /** From now on with that secret: pids that were made with another one are those of nobody. */
  use(secret: Buffer): void {
    this.#secret = secret;
  }

  of(sid: string, namespace: string): string {
    return `${sid}.${this.#mac(sid, namespace)}`;
  }

  /** The session id of a pid that was made for that namespace with this secret; undefined for any other. */
  verify(pid: string, namespace: string): string | undefined {
    const [, sid, mac] = form.exec(pid) ?? [];
    if (sid === undefined || mac === undefined) return undefined;
    return timingSafeEqual(Buffer.from(mac), Buffer.from(this.#mac(sid, namespace))) ? sid : undefined;
  }

  #mac(sid: string, namespace: string): string {
    return createHmac('sha256', this.#secret).update(`${sid}\0${namespace}`).digest('base64url').slice(0, macLength);
  }
}
