/**
 * All relaying to one other node. What is under way to it (sent, and the node has not said that it has dealt with it) has a
 * bound far below that of the link, which belongs to everybody: nothing that clients send or are sent may drop a link. What
 * is beyond it waits here, in order; whoever would make it wait asks for the load first.
 *
 *   streams ──▶ send ──┬── under way < budget ──▶ hive_relay of the node
 *                      └── else ──▶ waiting ──credit──┘
 *
 * Credit itself never waits, so two nodes that are both at their bounds come free again.
 */
import type { NodeName, Ref } from '../../../kernel/types.ts';
import { isChunk, type RelayMessage, weightOf } from './messages.ts';

/** So many messages that have been sent are kept before the list of waiting ones is made anew. */
const maxPassed = 4096;

export class Flow {
  /** How much is dealt with between two notes of it. */
  static readonly noteWeight = 64 * 1024;
  readonly relay: Ref<RelayMessage>;
  readonly #self: NodeName;
  readonly #budget: number;
  #underWay = 0;
  #waiting: RelayMessage[] = [];
  /** Where in `#waiting` the next is. */
  #next = 0;
  #waitingWeight = 0;
  /** The weight of what was received since the last note. */
  #received = 0;

  /** @param budget weight that may be under way; the same may wait before the load is 1 */
  constructor(relay: Ref<RelayMessage>, self: NodeName, budget: number) {
    this.relay = relay;
    this.#self = self;
    this.#budget = budget;
  }

  get node(): NodeName {
    return this.relay.node;
  }

  /** Bytes, nearly, that wait here. */
  get waiting(): number {
    return this.#waitingWeight;
  }

  /** See `Relays.load`. */
  get load(): number {
    return this.#waitingWeight / this.#budget;
  }

  send(message: RelayMessage): void {
    const weight = weightOf(message);
    if (this.#waitingWeight === 0 && this.#hasRoom(weight)) {
      this.#underWay += weight;
      this.relay.tell(message);
      return;
    }
    this.#waiting.push(kept(message));
    this.#waitingWeight += weight;
  }

  /** The other node has dealt with so much. */
  credit(weight: number): void {
    // What was lost with a relay that was restarted is not counted twice.
    this.#underWay = Math.max(0, this.#underWay - weight);
    while (this.#waitingWeight > 0) {
      const message = this.#waiting[this.#next]!;
      const weight = weightOf(message);
      if (!this.#hasRoom(weight)) return;
      this.#next += 1;
      this.#waitingWeight -= weight;
      this.#underWay += weight;
      this.relay.tell(message);
      // Not for each of them: what follows is copied.
      if (this.#next === this.#waiting.length || this.#next === maxPassed) {
        this.#waiting = this.#waiting.slice(this.#next);
        this.#next = 0;
      }
    }
  }

  /** A message of the other node has been dealt with. */
  received(message: RelayMessage): void {
    if (!isChunk(message) && (message.type === 'credit' || message.type === 'started')) return;
    this.#received += weightOf(message);
    if (this.#received < Flow.noteWeight) return;
    this.relay.tell({ type: 'credit', node: this.#self, weight: this.#received });
    this.#received = 0;
  }

  /** One of both relays has been restarted: nothing is under way any more, and nobody wants what waits. */
  reset(): void {
    this.#underWay = 0;
    this.#received = 0;
    this.#waiting = [];
    this.#next = 0;
    this.#waitingWeight = 0;
  }

  #hasRoom(weight: number): boolean {
    // Of so little under way the other node may have dealt with all and say nothing.
    return this.#underWay < Flow.noteWeight || this.#underWay + weight <= this.#budget;
  }
}

/** The message with bytes of its own: those of a client are valid only while it is being sent. */
function kept(message: RelayMessage): RelayMessage {
  if (!isChunk(message)) return message;
  const [node, stream, flags, data] = message;
  return typeof data === 'string' ? message : [node, stream, flags, Buffer.from(data)];
}
