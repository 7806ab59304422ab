/** What is done to single clients of this node, for whoever has found out that they are here. All throw or reject with HiveErrors. */
import type { AnyRef } from '../../kernel/types.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Counter } from '../../observe/metrics.ts';
import type { ActionCall } from '../../plugins/types.ts';
import type { EventPacket } from '../../protocol/packet.ts';
import type { ClientActor } from '../client/client.ts';
import type { ClientServices } from '../client/client-services.ts';
import type { ClientActorMessage } from '../client/messages.ts';
import type { ClientRegistry } from './client-registry.ts';

export interface ClientsHereSetup {
  readonly registry: ClientRegistry;
  readonly clients: ClientServices;
  readonly counters: Record<'routed_events' | 'errors', Counter>;
}

export class ClientsHere {
  readonly #setup: ClientsHereSetup;

  constructor(setup: ClientsHereSetup) {
    this.#setup = setup;
  }

  ref(sid: string): AnyRef {
    return this.#client(sid).self;
  }

  /** JSON text of what it acknowledges. */
  async ask(sid: string, event: EventPacket, timeoutMs: number): Promise<string> {
    return JSON.stringify(await this.#client(sid).source.ask(event, timeoutMs));
  }

  /** JSON text: what plugins put into states need not be a term. */
  async view(sid: string): Promise<string> {
    return JSON.stringify(await (this.#setup.registry.any(sid) ?? this.#client(sid)).view());
  }

  /** @throws HiveError `overloaded` if too much waits for the client's hooks */
  runActions(sid: string, actions: readonly ActionCall[]): void | Promise<void> {
    return this.#tell(sid, { type: 'act', actions }, actions.length);
  }

  /** @throws HiveError as `runActions` */
  send(sid: string, packet: EventPacket): void | Promise<void> {
    return this.#tell(sid, { type: 'send', packet }, 1);
  }

  #tell(sid: string, message: ClientActorMessage, events: number): void | Promise<void> {
    const client = this.#client(sid);
    if (!client.self.tell(message)) {
      client.output.missed();
      throw new HiveError('overloaded', 'Too many messages are waiting for the client: this one is dropped.');
    }
    client.output.expects();
    const { counters, clients } = this.#setup;
    counters.routed_events.value += events;
    return clients.recovery?.sessions.settled();
  }

  disconnect(sid: string): void {
    this.#client(sid).abandon('stopped');
    this.#setup.counters.routed_events.value += 1;
  }

  async change(change: 'subscribe' | 'unsubscribe', sid: string, channels: readonly string[]): Promise<void> {
    const { output } = this.#client(sid);
    const { memberships } = this.#setup.clients;
    this.#setup.counters.routed_events.value += 1;
    if (change === 'subscribe') await memberships.join(output, channels, 'private');
    else await memberships.leave(output, channels, 'private');
  }

  #client(sid: string): ClientActor {
    const client = this.#setup.registry.find(sid);
    if (client) return client;
    this.#setup.counters.errors.value += 1;
    throw new HiveError('bad_session_id', 'No connected client has that session id.');
  }
}
