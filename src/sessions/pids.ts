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
  /** Those that were used before the present one: clients have pids that were made with them. */
  readonly #former: Buffer[] = [];
  #secret: Buffer;

  /** @param secret never something that others could guess, as a cookie that is a cluster's name */
  constructor(secret: Buffer = randomBytes(32)) {
    this.#secret = secret;
  }

  /** From now on with that secret. Pids that were made before are good here, and here alone. */
  use(secret: Buffer): void {
    if (secret.equals(this.#secret)) return;
    this.#former.push(this.#secret);
    this.#secret = secret;
  }

  of(sid: string, namespace: string): string {
    return `${sid}.${mac(this.#secret, sid, namespace)}`;
  }

  /** The session id of a pid that was made for that namespace with the secret, or a former one; undefined for any other. */
  verify(pid: string, namespace: string): string | undefined {
    const [, sid, signature] = form.exec(pid) ?? [];
    if (sid === undefined || signature === undefined) return undefined;
    const given = Buffer.from(signature);
    const isOf = (secret: Buffer) => timingSafeEqual(given, Buffer.from(mac(secret, sid, namespace)));
    return isOf(this.#secret) || this.#former.some(isOf) ? sid : undefined;
  }
}

function mac(secret: Buffer, sid: string, namespace: string): string {
  return createHmac('sha256', secret).update(`${sid}\0${namespace}`).digest('base64url').slice(0, macLength);
}
