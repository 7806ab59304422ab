/** Clients that return to their sessions: where these are, and which of them can be given back. */
import type { Config } from '../../config/types.ts';
import type { NodeName } from '../../kernel/types.ts';
import type { Claim, Recovered, RecoveryHost } from '../../web/client/client-handle.ts';
import type { ClientServices } from '../client/client-services.ts';
import type { ReturnFailure } from '../client/metrics.ts';
import { ClientSession, type SessionSetup } from '../client/session.ts';
import type { ClusterView } from '../contracts.ts';
import type { Adoptions } from './adoptions.ts';
import type { ClientRegistry } from './client-registry.ts';
import type { Leaving } from './leaving.ts';
import type { Whereabouts } from './whereabouts.ts';

export interface ReturningSetup {
  readonly clients: ClientServices;
  readonly cluster: ClusterView;
  readonly registry: ClientRegistry;
  readonly whereabouts: Whereabouts;
  readonly adoptions: Adoptions;
  readonly leaving: Leaving;
  readonly sessions: SessionSetup;
  readonly config: Config;
}

export class Returning implements RecoveryHost {
  readonly #setup: ReturningSetup;

  constructor(setup: ReturningSetup) {
    this.#setup = setup;
  }

  /** The session id; undefined for a false claim. */
  #sidOf(pid: string, namespace: string): string | undefined {
    return this.#setup.clients.recovery?.sessions.pids.verify(pid, namespace);
  }

  homeOf({ pid }: Claim, namespace: string): Promise<NodeName | undefined> | undefined {
    const sid = this.#sidOf(pid, namespace);
    return sid === undefined ? undefined : this.#setup.whereabouts.homeOf(sid);
  }

  async otherHomeOf(
    { pid }: Claim,
    namespace: string,
    asked: NodeName | undefined,
    hasAnswered: boolean,
  ): Promise<NodeName | undefined> {
    const sid = this.#sidOf(pid, namespace);
    return sid === undefined ? undefined : this.#setup.whereabouts.otherHomeOf(sid, asked, hasAnswered);
  }

  async nextHomeOf({ pid }: Claim, namespace: string, former?: NodeName): Promise<NodeName | undefined> {
    const sid = this.#sidOf(pid, namespace);
    return sid === undefined ? undefined : this.#setup.whereabouts.nextHomeOf(sid, former);
  }

  mayMove(sid: string): boolean {
    const { clients, cluster } = this.#setup;
    return clients.durable !== undefined && cluster.ownerOf(sid) !== undefined;
  }

  settled(sid: string): Promise<void> | undefined {
    const { leaving, adoptions } = this.#setup;
    return this.leaves(sid) === 'soon' ? leaving.released : adoptions.settled(sid);
  }

  leaves(sid: string): 'now' | 'soon' | undefined {
    const { handsOver, moved } = this.#setup.leaving;
    if (this.#setup.registry.any(sid)) return handsOver ? 'soon' : undefined;
    return moved.has(sid) ? 'now' : undefined;
  }

  pidOf(sid: string, namespace: string): string {
    return this.#setup.clients.recovery!.sessions.pids.of(sid, namespace);
  }

  take({ pid, offset }: Claim, namespace: string): Recovered | undefined {
    const { registry, sessions, config } = this.#setup;
    const sid = this.#sidOf(pid, namespace);
    if (sid === undefined) return this.#notRecovered('unknown');
    const client = registry.any(sid);
    if (!client?.isRecoverable) return this.#notRecovered('ended');
    client.interrupt();
    const missed = client.missedSince(offset);
    const isTooMuch = missed !== undefined && missed.bytes > config.socketio.max_backpressure;
    if (!missed || isTooMuch) {
      client.giveUp();
      return this.#notRecovered(isTooMuch ? 'too_much' : 'incomplete');
    }
    return { client: new ClientSession(client, sessions), missed: missed.events };
  }

  #notRecovered(reason: ReturnFailure): undefined {
    this.#setup.clients.metrics.recovery[reason].value += 1;
  }
}
