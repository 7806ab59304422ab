/**
 * Both ends of one stream of publications between two nodes, with a connection between them that a test cuts, stops and heals. What
 * the sender offers is under way until it is delivered; acknowledgements as well.
 */
import { PublishLog } from '../../src/actors/pubsub/publish-log.ts';
import { PublishReceipts } from '../../src/actors/pubsub/publish-receipts.ts';
import type { GapMessage, PublishMessage } from '../../src/actors/pubsub/wire-messages.ts';
import type { Offered } from '../../src/kernel/transport.ts';

type Message = PublishMessage | GapMessage;
type Acknowledgement = { readonly upTo: number; readonly again: boolean };

export const publicationBytes = 100;

export class PublishStream {
  readonly log: PublishLog;
  receipts = new PublishReceipts('a@h#1');
  /** On their way, oldest first. */
  messages: Message[] = [];
  acknowledgements: Acknowledgement[] = [];
  /** The numbers that the receiver has passed on, and the gaps that it has told. */
  readonly passed: (number | { readonly gap: readonly string[]; readonly upTo: number })[] = [];
  /** What the sender was told: `resent`, `gap`, `lost 3`, … */
  readonly told: string[] = [];
  /** How many messages the connection takes before it is full. */
  room = Number.POSITIVE_INFINITY;
  /** Numbers that cannot be sent. */
  readonly unsendable = new Set<number>();
  /** How many of the next messages get lost in the receiver. */
  deaf = 0;

  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.log = new PublishLog({
      origin: 'a@h#1',
      maxBytes,
      offer: (message) => this.#offer(message),
      events: {
        resent: () => void this.told.push('resent'),
        gap: () => void this.told.push('gap'),
        lost: (publications) => void this.told.push(`lost ${publications}`),
        overflowed: () => void this.told.push('overflowed'),
        gapEnded: (publications) => void this.told.push(`ended ${publications}`),
      },
    });
  }

  #offer(message: Message): Offered {
    if (message.type === 'publish' && this.unsendable.has(message.number)) return 'never';
    if (this.messages.length >= this.room) return 'later';
    this.messages.push(message);
    return 'sent';
  }

  publish(number: number, ...channels: string[]): boolean {
    if (!this.log.givenUp) {
      return this.log.add(number, channels, 'public', ['orders', []], publicationBytes, false);
    }
    this.log.miss(number, channels, publicationBytes);
    return false;
  }

  connect(): void {
    this.receipts.resume();
    this.log.connect();
    this.pump();
  }

  /** What is under way is lost. */
  cut(): void {
    this.messages = [];
    this.acknowledgements = [];
    this.log.disconnect();
  }

  pump(): void {
    while (this.log.pump());
  }

  /** The receiver reads some of the messages, or all. */
  deliver(count = this.messages.length): void {
    for (const message of this.messages.splice(0, count)) {
      if (this.deaf > 0) {
        this.deaf -= 1;
        continue;
      }
      if (!this.receipts.take(message.number, message.after)) continue;
      this.passed.push(message.type === 'publish' ? message.number : { gap: message.channels, upTo: message.number });
    }
    if (this.receipts.isOwed) this.acknowledgements.push(this.receipts.acknowledge());
  }

  /** The sender reads the acknowledgements. */
  acknowledge(): void {
    for (const { upTo, again } of this.acknowledgements.splice(0)) {
      if (again) this.log.again(upTo);
      else this.log.taken(upTo);
    }
    this.pump();
  }

  /** The sender asks what is there, as it does when nothing has come for a while. */
  ask(): void {
    const { newest } = this.log;
    const { upTo } = this.receipts;
    if (upTo < newest) this.log.again(upTo);
    else this.log.taken(upTo);
    this.pump();
  }

  /** Until nothing is under way and nothing is missing. */
  settle(): void {
    for (let rounds = 0; this.log.length > 0; rounds += 1) {
      if (rounds > 1000) throw new Error('it does not settle');
      this.deliver();
      this.acknowledge();
      if (this.messages.length === 0) this.ask();
    }
  }
}
