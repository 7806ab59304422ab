/** One end of a relayed request or WebSocket; see `web/client/relay/relay.ts`. It is open while it is in the table of its end. */
import type { NodeName } from '../../../kernel/types.ts';
import type { Flow } from './flow.ts';
import { chunkMessage, type Side } from './messages.ts';
import type { RelayEnd, RelayStream, RequestHead, ReturnHead, ToEntry, ToOwner } from './relay.ts';

type Out = ToOwner | ToEntry;

export type StreamKind = (RequestHead | ReturnHead)['kind'];

export interface StreamParts<In, Sent extends Out> {
  readonly self: NodeName;
  /** The way to the other node. */
  readonly flow: Flow;
  readonly number: number;
  /** The other end. */
  readonly to: Side;
  readonly table: Map<number, Stream<In, Sent>>;
  /** What it is for. */
  readonly kind: StreamKind;
}

export class Stream<In, Sent extends Out> implements RelayStream<Sent> {
  /** Not there while the request is being taken in. */
  end: RelayEnd<In> | undefined;
  readonly #parts: StreamParts<In, Sent>;

  constructor(parts: StreamParts<In, Sent>) {
    this.#parts = parts;
    parts.table.set(parts.number, this);
  }

  get peer(): NodeName {
    return this.#parts.flow.node;
  }

  get kind(): StreamKind {
    return this.#parts.kind;
  }

  get to(): Side {
    return this.#parts.to;
  }

  get load(): number {
    return this.#parts.flow.load;
  }

  send(signal: Sent, last = false): void {
    const { self, flow, number, to, table } = this.#parts;
    if (table.get(number) !== this) return;
    if (last) table.delete(number);
    if (signal.type === 'chunk') flow.send(chunkMessage(self, number, to, signal, last));
    else flow.send({ type: 'signal', node: self, stream: number, to, signal, last });
  }

  receive(signal: In, last: boolean): void {
    const { number, table } = this.#parts;
    if (last) table.delete(number);
    this.end?.receive(signal);
  }

  /** The other end is gone. */
  lost(): void {
    const { number, table } = this.#parts;
    if (table.get(number) !== this) return;
    table.delete(number);
    this.end?.lost();
  }

  /** Lets the other end know that this one is gone. */
  tellLost(): void {
    const { self, flow, number, to } = this.#parts;
    flow.send({ type: 'lost', node: self, stream: number, to });
  }
}
