/**
 * The session of a client that has returned to another node than that of its session, as the node with the client sees it.
 *
 *     owner looked for ──► asked ──► recovered ──► closed    by the client, or as the session or its node is lost
 *            │               ├─ left                         it goes on at another node, which is looked for
 *            │               ├─ refused                      the client becomes a new one
 *            └───────────────┴─ unreachable                  the same
 *
 * What comes is encoded already and goes to the client as it is, in the order of the stream: first that it is recovered, then what
 * it has missed, then what is new. The client's packets go the other way as Socket.IO writes them.
 */
import type { Timer, TimingWheel } from '../../../kernel/timers.ts';
import type { NodeName } from '../../../kernel/types.ts';
import type { Counter } from '../../../observe/metrics.ts';
import type { ClientPacket } from '../../../protocol/packet.ts';
import { encodeClientPacket } from '../../../protocol/socketio-v5.ts';
import { sidIn } from '../../../sessions/pids.ts';
import type { Claim, CloseReason, TransportKind } from '../client-handle.ts';
import type { Returning, ReturnOutcome, ReturnPlace } from '../returns.ts';
import { costOf, sendChunks } from './chunks.ts';
import { fairBytes } from './forwards.ts';
import { PacketJoiner } from './packets.ts';
import type { Chunk, RelayStream, Relays, ToEntry, ToOwner } from './relay.ts';

/** How long the owner may take to answer, ms: as long as any call between nodes. */
const answerMs = 5000;
/** Of a position; what is longer is none. */
const maxOffset = 64;

export interface RemoteSessionParts {
  readonly relays: Relays;
  readonly wheel: TimingWheel;
  readonly claim: Claim;
  readonly namespace: string;
  readonly place: ReturnPlace;
  /** Bytes on the way to the owner with which the client has sent more than the way can carry. */
  readonly maxUnderWay: number;
  /** Counts the clients that did. */
  readonly overruns: Counter;
}

/** Ends that this node is the reason of. At its own node the session would end with it; here it waits for its client. */
const endsOfNode: ReadonlySet<CloseReason> = new Set(['shutdown', 'overloaded', 'internal_error']);

export class RemoteSession implements Returning {
  readonly sid: string;
  readonly outcome: Promise<ReturnOutcome>;
  readonly #parts: RemoteSessionParts;
  readonly #joiner = new PacketJoiner();
  #settle: (outcome: ReturnOutcome) => void = () => {};
  #transport: TransportKind;
  #stream: RelayStream<ToOwner> | undefined;
  /** Runs until the owner has answered. */
  #deadline: Timer | undefined;
  #isRecovered = false;
  /** The session is about to go on elsewhere. */
  #isLeaving = false;
  #isClosed = false;
  /** How much is dealt with between two notes of it. */
  #noteBytes = 0;
  /** The cost of what was received since the last note. */
  #received = 0;
  /** The cost of what the owner has not dealt with yet. */
  #underWay = 0;

  constructor(parts: RemoteSessionParts, transport: TransportKind) {
    this.#parts = parts;
    this.#transport = transport;
    this.sid = sidIn(parts.claim.pid);
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  /** Looks for the owner of a session whose node is lost at the moment. */
  async find(owner: Promise<NodeName | undefined>): Promise<void> {
    const found = await owner;
    if (found === undefined) this.#finish('unreachable');
    else if (!this.#isClosed) this.ask(found);
  }

  ask(owner: NodeName): void {
    const { relays, wheel, claim, namespace, place } = this.#parts;
    if (relays.load(owner) >= 1) {
      this.#finish('closed');
      return place.end('overloaded');
    }
    const head = { kind: 'return', pid: claim.pid, namespace, transport: this.#transport, ...offsetOf(claim) } as const;
    this.#deadline = wheel.schedule(answerMs, () => this.#leave('transport_closed', 'unreachable'));
    this.#stream = relays.open(owner, head, {
      receive: (signal) => this.#hear(signal),
      lost: () => this.#lost(),
    });
  }

  receive(packet: ClientPacket): void {
    const stream = this.#stream;
    // Messages are sent by clients of 0.9 only.
    if (!this.#isRecovered || this.#isClosed || !stream || packet.type === 'message') return;
    // The client cannot be made to wait: what would have to is not taken in.
    if (stream.load >= 2 || (stream.load >= 1 && this.#underWay > fairBytes)) return this.#overrun();
    this.#underWay += sendChunks(stream, encodeClientPacket(packet), true);
    if (this.#underWay > this.#parts.maxUnderWay) this.#overrun();
  }

  /** Only clients of 0.9 can send what harms nothing and cannot be used. */
  reject(): void {}

  transport(kind: TransportKind): void {
    this.#transport = kind;
    if (!this.#isClosed) this.#stream?.send({ type: 'moved', transport: kind });
  }

  close(reason: CloseReason): void {
    this.#leave(endsOfNode.has(reason) ? 'transport_closed' : reason, 'closed');
  }

  #hear(signal: ToEntry): void {
    switch (signal.type) {
      case 'chunk':
        return this.#deliver(signal);
      case 'taken':
        this.#underWay -= signal.cost;
        return;
      case 'recovered':
        this.#noteBytes = Math.min(16 * 1024, signal.window / 4);
        this.#isRecovered = true;
        this.#deadline?.cancel();
        this.#parts.place.recovered(this.sid, this.#parts.claim.pid);
        return this.#settle('recovered');
      case 'leaving':
        this.#isLeaving = true;
        return this.#deadline?.cancel();
      case 'left':
      case 'refused':
        return this.#finish(signal.type);
      case 'ended':
        this.#finish('closed');
        return this.#parts.place.end(signal.reason);
      default:
      // What is said to the forwards of requests and WebSockets.
    }
  }

  /** Noted as dealt with at once: how much may wait for the client is this node's to limit, as for any client. */
  #deliver(chunk: Chunk): void {
    this.#received += costOf(chunk);
    const packet = this.#joiner.add(chunk);
    if (packet !== undefined) this.#parts.place.deliver(packet);
    if (this.#isClosed || this.#received < this.#noteBytes) return;
    this.#stream?.send({ type: 'taken', cost: this.#received });
    this.#received = 0;
  }

  #lost(): void {
    const { relays, place } = this.#parts;
    if (this.#isLeaving) return this.#finish('left');
    // Its node is there, but serves no clients.
    const isHopeless = !this.#isRecovered && relays.ownerOf(this.sid) !== undefined;
    this.#finish(isHopeless ? 'unreachable' : 'closed');
    if (!isHopeless) place.end('transport_closed');
  }

  #overrun(): void {
    this.#parts.overruns.value += 1;
    this.#leave('transport_closed', 'closed');
    this.#parts.place.end('overloaded');
  }

  #leave(reason: CloseReason, outcome: ReturnOutcome): void {
    if (this.#isClosed) return;
    this.#stream?.send({ type: 'gone', reason }, true);
    this.#finish(outcome);
  }

  #finish(outcome: ReturnOutcome): void {
    this.#isClosed = true;
    this.#deadline?.cancel();
    this.#settle(outcome);
  }
}

/** Clients may say anything; a position that is none is told as the empty one. */
function offsetOf({ offset }: Claim): { readonly offset?: string } {
  if (offset === undefined) return {};
  return { offset: typeof offset === 'string' && offset.length <= maxOffset ? offset : '' };
}
