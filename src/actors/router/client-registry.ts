/** The clients of this node by session id. It belongs to the node: a router that crashes forgets nobody. */
import type { ClientActor } from '../client/client.ts';

export class ClientRegistry {
  readonly #clients = new Map<string, ClientActor>();
  /** Whether new clients are accepted. */
  isEnabled = true;
  /** Clients that are being started: they have their slots already. */
  #starting = 0;

  /** Slots in use. */
  get slots(): number {
    return this.#clients.size + this.#starting;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** A client that back ends can know: not one that has no connection yet, or is leaving. */
  find(sid: string): ClientActor | undefined {
    const client = this.#clients.get(sid);
    return client?.isKnown ? client : undefined;
  }

  /** That client, whatever its state. */
  any(sid: string): ClientActor | undefined {
    return this.#clients.get(sid);
  }

  /** Everybody, whatever their state. */
  all(): ClientActor[] {
    return [...this.#clients.values()];
  }

  /** Takes a slot while `start` runs; the client that it makes keeps it until it is removed. */
  async admit(start: () => Promise<ClientActor>): Promise<ClientActor> {
    this.#starting += 1;
    try {
      const client = await start();
      this.#clients.set(client.sid, client);
      return client;
    } finally {
      this.#starting -= 1;
    }
  }

  remove(client: ClientActor): void {
    this.#clients.delete(client.sid);
  }
}
