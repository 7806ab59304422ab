/** Rules of recovery, each taken out: the simulation has to notice. What a rule is for is said where it is kept. */
import { ClientActor } from '../../src/actors/client/client.ts';
import { ClientOutput } from '../../src/actors/client/output.ts';
import { SuspendedSessions, Suspension } from '../../src/actors/client/suspension.ts';
import type { ServerPacket } from '../../src/protocol/packet.ts';
import { noPosition } from '../../src/protocol/recovery.ts';
import { MemoryStore } from '../../src/sessions/memory-store.ts';
import type { SessionLog } from '../../src/sessions/session-log.ts';
import type { Missed } from '../../src/sessions/session-store.ts';
import type { Claim, ClientHandle, Recovered, SessionHost } from '../../src/web/client/client-handle.ts';
import { NamespaceSocket } from '../../src/web/client/namespace-socket.ts';
import type { SimNode } from './node.ts';
import { patched } from './patched.ts';
import type { Mutation } from './simulation.ts';

/** The number in a position. */
function numberIn(position: unknown): number {
  return typeof position === 'string' ? Number.parseInt(position.slice(8), 36) : 0;
}

/** One number for all channels that a publish goes to. */
class NumberPerPublish extends MemoryStore {
  #packet: ServerPacket | undefined;
  #tail = '';

  override publish(channel: string, packet: ServerPacket): string {
    const tail = super.publish(channel, packet);
    if (tail === noPosition) return tail;
    if (packet === this.#packet) return this.#tail;
    this.#packet = packet;
    this.#tail = tail;
    return tail;
  }
}

class UnnumberedSends extends MemoryStore {
  override send(session: SessionLog, packet: ServerPacket): string {
    super.send(session, packet);
    return noPosition;
  }
}

/** Whatever is still there is held to be everything. */
class ForgetsThatItForgot extends MemoryStore {
  override missed(session: SessionLog, position: unknown): Missed {
    return super.missed(session, position) ?? { events: [], bytes: 0 };
  }
}

/** A position that is not in the ring any more is held to be too old. */
class WantsPositionInRing extends MemoryStore {
  override missed(session: SessionLog, position: unknown): Missed {
    const { last, count } = this.kept as unknown as { last: number; count: number };
    const number = Math.max(numberIn(position), session.began);
    return number < last - count ? undefined : super.missed(session, position);
  }
}

class SamePidWithGap extends MemoryStore {
  override missed(session: SessionLog, position: unknown): Missed {
    return super.missed(session, position) ?? { events: [], bytes: 0 };
  }
}

class IgnoresPositions extends MemoryStore {
  override missed(session: SessionLog): Missed {
    return super.missed(session, undefined);
  }
}

class RecordsNoLeaving extends MemoryStore {
  override leave(): void {}
}

/** Clients that are only taken off a topic, while they run actions, stay in its journal. */
class StaysInJournal extends MemoryStore {
  /** The client that leaves just now has not unsubscribed. */
  isTemporary = false;
  readonly #away = new Map<SessionLog, Set<string>>();

  override leave(session: SessionLog, channel: string): void {
    const away = this.#away.get(session) ?? new Set();
    this.#away.set(session, away);
    if (this.isTemporary) away.add(channel);
    else if (!away.delete(channel)) super.leave(session, channel);
  }

  override join(session: SessionLog, channel: string): void {
    if (!this.#away.get(session)?.delete(channel)) super.join(session, channel);
  }
}

/** A returning client joins its channels a moment after it was sent what it has missed. */
function joinsLater(host: SessionHost): SessionHost {
  const take = (claim: Claim, namespace: string): Recovered | undefined => {
    const recovered = host.recovery?.take(claim, namespace);
    if (!recovered) return undefined;
    const { client, missed } = recovered;
    const late: ClientHandle = Object.create(client, {
      sid: { value: client.sid },
      attach: { value: client.attach.bind(client) },
      receive: { value: client.receive.bind(client) },
      reject: { value: client.reject.bind(client) },
      close: { value: client.close.bind(client) },
      transport: { value: client.transport.bind(client) },
      resume: {
        value: (...args: Parameters<ClientHandle['resume']>) => void setTimeout(() => client.resume(...args), 5),
      },
    }) as ClientHandle;
    return { client: late, missed };
  };
  return {
    wantsHandshakes: host.wantsHandshakes,
    refusal: (mayReturn) => host.refusal(mayReturn),
    open: (request) => host.open(request),
    recovery: {
      pidOf: (sid, namespace) => host.recovery!.pidOf(sid, namespace),
      homeOf: () => undefined,
      otherHomeOf: async () => undefined,
      nextHomeOf: async () => undefined,
      mayMove: () => false,
      leaves: () => undefined,
      settled: () => undefined,
      take,
    },
  };
}

function staysInJournal(): Mutation {
  let store: StaysInJournal | undefined;
  let node: SimNode | undefined;
  const { leave } = ClientOutput.prototype;
  return {
    parts: {
      store(setup) {
        store = new StaysInJournal(setup);
        return store;
      },
      host(host, its) {
        node = its;
        return host;
      },
    },
    patch: () =>
      patched(ClientOutput.prototype, 'leave', function (this: ClientOutput, channel: string) {
        store!.isTemporary = node!.pubsub.channelsOf(this).includes(channel);
        leave.call(this, channel);
        store!.isTemporary = false;
      }),
  };
}

/** By the rule that is taken out. */
export const mutations: Readonly<Record<string, () => Mutation>> = {
  'the answer to a client that returns goes before what it has missed': () => ({ parts: { answersLast: true } }),
  'each copy of a publish to a prefix has a number of its own': () => ({
    parts: { store: (setup) => new NumberPerPublish(setup) },
  }),
  'everything that a client is sent has a position': () => ({
    parts: { store: (setup) => new UnnumberedSends(setup) },
  }),
  'what is sent to one client leaves in order with publishes': () => ({
    patch: () => {
      const { send } = NamespaceSocket.prototype;
      return patched(NamespaceSocket.prototype, 'send', function (this: NamespaceSocket, ...args) {
        setImmediate(() => send.apply(this, args));
      });
    },
  }),
  'a client that returns joins its channels in the turn of the replay': () => ({ parts: { host: joinsLater } }),
  'a return is complete only if nothing that it needs is forgotten': () => ({
    parts: { store: (setup) => new ForgetsThatItForgot(setup) },
  }),
  'a return is complete if nothing has come since, however old its position is': () => ({
    parts: { store: (setup) => new WantsPositionInRing(setup) },
  }),
  'the same pid is never sent with a gap': () => ({ parts: { store: (setup) => new SamePidWithGap(setup) } }),
  'what a client has received is not sent again': () => ({
    parts: { store: (setup) => new IgnoresPositions(setup) },
  }),
  'a channel that was left is not replayed': () => ({ parts: { store: (setup) => new RecordsNoLeaving(setup) } }),
  'a client that is taken off a topic for its actions has left it in the journal': staysInJournal,
  'what a crashed channel or a full mailbox takes is a gap': () => ({
    patch: () => patched(ClientOutput.prototype, 'missed', () => {}),
  }),
  'the former connection is closed when another one takes over': () => ({
    patch: () => {
      const { interrupt } = ClientActor.prototype;
      return patched(ClientActor.prototype, 'interrupt', function (this: ClientActor) {
        this.output.detach();
        interrupt.call(this);
      });
    },
  }),
  'a session is given up when its window has passed': () => ({
    patch: () => patched(Suspension.prototype, 'expire', () => {}),
  }),
  'a session that ends is suspended no more': () => ({
    patch: () => patched(SuspendedSessions.prototype, 'delete', () => {}),
  }),
};
