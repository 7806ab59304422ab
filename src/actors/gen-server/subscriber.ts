/**
 * An Erlang process as subscriber of one channel: an actor of this node that stands for it. It passes on what the channel
 * publishes, ends with the process (or its node), and its own end tells the process, which may monitor it, that nothing
 * comes any more.
 *
 *   {hive, Channel, {event, Name, Args}}    {hive, Channel, {message, Data}}    {hive, Channel, {orders, Orders}}
 */
import { atom, type Tuple, tuple } from '../../distribution/codec/terms.ts';
import { Actor } from '../../kernel/actor.ts';
import type { From, Ref } from '../../kernel/types.ts';
import type { ClientDelivery, Member } from '../contracts.ts';
import { contentOf } from './content.ts';
import type { ChannelListener, ErlangFanout } from './fanout.ts';

const hive = atom('hive');

export class Subscriber extends Actor<ClientDelivery> implements Member, ChannelListener {
  readonly channel: string;
  readonly #process: Ref<unknown>;
  readonly #fanout: ErlangFanout;

  constructor(process: Ref<unknown>, channel: string, fanout: ErlangFanout) {
    super();
    this.channel = channel;
    this.#process = process;
    this.#fanout = fanout;
  }

  override init(): void {
    this.monitor(this.#process);
    this.kernel.onExit(this.self, () => this.#fanout.remove(this.channel, this));
  }

  get ref(): Ref<ClientDelivery> {
    return this.self;
  }

  join(channel: string): void {
    if (this.alive) this.#fanout.add(channel, this);
  }

  leave(channel: string): void {
    this.#fanout.remove(channel, this);
  }

  /** Sends what `contentOf` made. */
  deliver(content: Tuple): void {
    this.send(this.#process, tuple(hive, this.channel, content));
  }

  /** Actions are for clients to perform; a process is told them and may do what it likes. */
  receive(message: ClientDelivery, from: From | undefined): void {
    if (message.type !== 'published') return this.unexpected(message, from);
    const { actions, packets, channel } = message;
    for (const packet of packets ?? []) this.deliver(contentOf(packet));
    if (actions.length > 0) this.deliver(tuple(atom('orders'), actions));
    this.send(channel, { type: 'delivered', client: this.self });
  }

  override handleDown(): void {
    this.stop();
  }

  override inspect(): Record<string, unknown> {
    return { channel: this.channel, process: this.#process.toString() };
  }
}
