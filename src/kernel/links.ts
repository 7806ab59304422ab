/** The actors to which one actor is linked, each once. An actor of another node may have several references, a local one is its own. */
import { RemoteRef } from './remote-ref.ts';
import type { Ref } from './types.ts';

export class Links {
  readonly #links = new Map<unknown, Ref<never>>();

  get size(): number {
    return this.#links.size;
  }

  add(ref: Ref<never>): void {
    this.#links.set(keyOf(ref), ref);
  }

  /** False if there was no link. */
  delete(ref: Ref<never>): boolean {
    return this.#links.delete(keyOf(ref));
  }

  refs(): Iterable<Ref<never>> {
    return this.#links.values();
  }
}

function keyOf(ref: Ref<never>): unknown {
  return ref instanceof RemoteRef ? ref.toString() : ref;
}
