/**
 * What is known of an owner: a row of the hash of owners, as text. Fields at the end may be missing.
 *
 *   id@host#1 | its tag | tags of boots whose sessions it may own some of | left | owner=id@host#1,owner=…
 */

/** An owner that is gone, and its boot. */
export interface Gone {
  readonly owner: string;
  /** `id@host#creation`. */
  readonly boot: string;
}

export interface Ownership {
  /** `id@host#creation`. */
  readonly boot: string;
  /** Of that boot. */
  readonly tag: string;
  /** The boots of whose sessions it may own some. */
  readonly tags: Iterable<string>;
  /** It has given up its lease as planned. */
  readonly hasLeft: boolean;
  /** It has claimed sessions of these, and does not know yet what others had kept for them. */
  readonly inherits: Iterable<Gone>;
}

const leftMark = 'left';

export function ownershipText({ boot, tag, tags, hasLeft, inherits }: Ownership): string {
  const gone = [...inherits].map((one) => `${one.owner}=${one.boot}`);
  return [boot, tag, [...tags].join(), hasLeft ? leftMark : '', gone.join()].join('|');
}

export function ownershipOf(
  text: string,
): Ownership & { readonly tags: readonly string[]; readonly inherits: readonly Gone[] } {
  const [boot = '', tag = '', tags = '', mark, gone = ''] = text.split('|');
  const inherits = gone === '' ? [] : gone.split(',').map(goneOf);
  return { boot, tag, tags: tags.split(','), hasLeft: mark === leftMark, inherits };
}

/** What others must know of this node as an owner. */
export class OwnOwnership {
  readonly tags: Set<string>;
  /** Owners of whose sessions this node has some, and does not know yet what others had kept for these; and their boots. */
  readonly inherits = new Map<string, string>();
  readonly boot: string;
  readonly #tag: string;

  constructor(boot: string, tag: string) {
    this.boot = boot;
    this.#tag = tag;
    this.tags = new Set([tag]);
  }

  text(hasLeft = false): string {
    const inherits = [...this.inherits].map(([owner, boot]) => ({ owner, boot }));
    return ownershipText({ boot: this.boot, tag: this.#tag, tags: this.tags, hasLeft, inherits });
  }

  /** Some of those sessions will be this node's. */
  inherit({ owner, boot, tags, inherits }: Gone & Pick<Ownership, 'tags' | 'inherits'>): void {
    for (const tag of tags) this.tags.add(tag);
    for (const gone of [{ owner, boot }, ...inherits]) this.inherits.set(gone.owner, gone.boot);
  }
}

function goneOf(text: string): Gone {
  const at = text.indexOf('=');
  return { owner: text.slice(0, at), boot: text.slice(at + 1) };
}
