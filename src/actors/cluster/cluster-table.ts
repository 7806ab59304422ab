/**
 * What is known of the cluster: a table of the node, written by the cluster actor, read by everybody at any time. Listeners
 * are called before anything that a new member sends is handled, and after everything that a lost one has sent.
 */
import { tagIn, tagOf } from '../../kernel/ids.ts';
import type { NodeName } from '../../kernel/types.ts';
import type { ClusterView } from '../contracts.ts';

export interface ClusterListener {
  /** @param creation of its present boot */
  nodeUp(node: NodeName, creation: number): void;
  /** @param hasLeft whether it has said that it goes */
  nodeDown(node: NodeName, hasLeft: boolean): void;
  /** A node that was lost does not run any more: if it comes back, it is as another boot. */
  nodeGone?(node: NodeName): void;
}

/** How long it is known of a member, at least, that it is lost, ms. */
const lostMs = 60_000;

export class ClusterTable implements ClusterView {
  readonly self: NodeName;
  /** Members by the tag in the ids that their present boots make. */
  readonly #byTag = new Map<string, NodeName>();
  readonly #tags = new Map<NodeName, string>();
  /** The tags of members that are lost, until they are back, as the same boot or another, or known to have died. */
  readonly #lost = new Map<NodeName, { readonly tag: string; readonly atMs: number }>();
  readonly #listeners = new Set<ClusterListener>();
  #nodes: readonly NodeName[];
  /** Everybody who was configured or heard of, as far as the present cluster actor (or the last one) knows. */
  known: () => readonly NodeName[] = () => [];

  constructor(self: NodeName, creation: number) {
    this.self = self;
    this.#nodes = [self];
    this.#byTag.set(tagOf(self, creation), self);
  }

  nodes(): readonly NodeName[] {
    return this.#nodes;
  }

  missing(): readonly NodeName[] {
    return this.known().filter((node) => !this.#nodes.includes(node));
  }

  ownerOf(sid: string): NodeName | undefined {
    const tag = tagIn(sid);
    return tag === undefined ? undefined : this.#byTag.get(tag);
  }

  nodeOf(tag: string): NodeName | undefined {
    return this.#byTag.get(tag);
  }

  /** The tag of a member's present boot; undefined if it is none. */
  tagOf(node: NodeName): string | undefined {
    return this.#tags.get(node);
  }

  /** When the member was lost that made this id, on the clock of `performance.now()`; undefined if it is there, or has died. */
  lostAt(sid: string): number | undefined {
    const tag = tagIn(sid);
    for (const lost of this.#lost.values()) if (lost.tag === tag) return lost.atMs;
    return undefined;
  }

  /** The listener is called until what is returned is disposed of. */
  listen(listener: ClusterListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** A member is connected. */
  up(node: NodeName, creation: number): void {
    this.down(node);
    const tag = tagOf(node, creation);
    this.#lost.delete(node);
    this.#tags.set(node, tag);
    this.#byTag.set(tag, node);
    this.#nodes = [...this.#nodes, node];
    for (const listener of this.#listeners) listener.nodeUp(node, creation);
  }

  /**
   * A member is lost; no effect if it was none.
   * @param hasLeft whether it has said that it goes
   */
  down(node: NodeName, hasLeft = false): void {
    const tag = this.#tags.get(node);
    if (tag === undefined) return;
    this.#tags.delete(node);
    if (!hasLeft) this.#lost.set(node, { tag, atMs: performance.now() });
    this.#forgetLost();
    this.#byTag.delete(tag);
    this.#nodes = this.#nodes.filter((present) => present !== node);
    for (const listener of this.#listeners) listener.nodeDown(node, hasLeft);
  }

  /** Nobody listens where that node did. */
  gone(node: NodeName): void {
    if (!this.#lost.delete(node)) return;
    for (const listener of this.#listeners) listener.nodeGone?.(node);
  }

  /** Nodes may have other names in each of their lives. */
  #forgetLost(): void {
    const oldMs = performance.now() - lostMs;
    for (const [node, { atMs }] of this.#lost) if (atMs < oldMs) this.#lost.delete(node);
  }

  /** All members but this node are lost. */
  clear(): void {
    for (const node of [...this.#tags.keys()]) this.down(node);
  }
}
