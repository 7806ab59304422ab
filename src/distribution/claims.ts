/**
 * Nodes that dial us and have said their names, but have not proven the cookie yet. They may be anybody: until the proof
 * nothing that is connected or being connected may suffer from them. All that is done for them is to wait a moment before
 * we dial the same node, so that of two that dial each other one goes on.
 */
import type { Socket } from 'node:net';

/** How long a dial waits: many times what a handshake takes between nodes that are well. */
const patienceMs = 500;

interface Claimed {
  readonly sockets: Set<Socket>;
  readonly waiting: Set<() => void>;
}

export class Claims {
  readonly #byNode = new Map<string, Claimed>();

  has(node: string): boolean {
    return this.#byNode.has(node);
  }

  add(node: string, socket: Socket): void {
    let claimed = this.#byNode.get(node);
    if (!claimed) {
      claimed = { sockets: new Set(), waiting: new Set() };
      this.#byNode.set(node, claimed);
    }
    claimed.sockets.add(socket);
  }

  /** That one is proven, or refused. */
  delete(node: string, socket: Socket): void {
    const claimed = this.#byNode.get(node);
    if (!claimed?.sockets.delete(socket) || claimed.sockets.size > 0) return;
    this.#byNode.delete(node);
    for (const go of claimed.waiting) go();
  }

  /** Resolves when nobody claims to be that node any more. Those who still do after a moment are dropped. */
  async settled(node: string): Promise<void> {
    const claimed = this.#byNode.get(node);
    if (!claimed) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      claimed.waiting.add(resolve);
      timer = setTimeout(resolve, patienceMs);
    });
    clearTimeout(timer);
    claimed.waiting.clear();
    this.drop(node);
  }

  drop(node: string): void {
    const claimed = this.#byNode.get(node);
    if (!claimed) return;
    this.#byNode.delete(node);
    for (const socket of claimed.sockets) socket.destroy();
    for (const go of claimed.waiting) go();
  }
}
