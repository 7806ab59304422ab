/**
 * Session and transport ids: unguessable, and naming the node and boot that owns them, so that any node can tell where a
 * session lives and whether its owner is still the same.
 *
 *   8 characters: 48 bits of SHA-256 over node name and creation  |  22 characters: 128 random bits, both base64url
 */
import { createHash, randomFillSync } from 'node:crypto';

/** Characters. */
export const tagLength = 8;
const randomBytes = 16;
const poolBytes = randomBytes * 256;

/** The tag of one boot of a node. */
export function tagOf(node: string, creation: number): string {
  return createHash('sha256').update(`${node}/${creation}`).digest('base64url').slice(0, tagLength);
}

/** The tag in an id, whoever made it; undefined for what cannot be an id. */
export function tagIn(id: string): string | undefined {
  return id.length === tagLength + 22 ? id.slice(0, tagLength) : undefined;
}

/** Makes ids for one node. Random bytes are drawn in bulk: a system call for every 256 ids. */
export class IdSource {
  readonly tag: string;
  readonly #pool = Buffer.alloc(poolBytes);
  #used = poolBytes;

  constructor(node: string, creation: number) {
    this.tag = tagOf(node, creation);
  }

  next(): string {
    if (this.#used === poolBytes) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const random = this.#pool.toString('base64url', this.#used, this.#used + randomBytes);
    this.#used += randomBytes;
    return this.tag + random;
  }
}
