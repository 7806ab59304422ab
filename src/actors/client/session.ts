/** A client's handle for its connection: what the web layer holds. */
import type { Kernel } from '../../kernel/kernel.ts';
import { HiveError } from '../../observe/errors.ts';
import type { Counter } from '../../observe/metrics.ts';
import type { ClientPacket } from '../../protocol/packet.ts';
import type { ClientHandle, CloseReason, Sink, TransportKind } from '../../web/client/client-handle.ts';
import type { ClientActor } from './client.ts';

/** Packets that may wait for a client's hooks; what comes beyond is refused. */
const maxBacklog = 1000;

/** What sessions share. */
export interface SessionSetup {
  readonly kernel: Kernel;
  /** Counts packets that do not go the direct way. */
  readonly routedPackets: Counter;
  readonly directWebsocket: boolean;
  /** Told when a client has ended. */
  readonly ended: (client: ClientActor) => void;
}

export class ClientSession implements ClientHandle {
  readonly #actor: ClientActor;
  readonly #setup: SessionSetup;
  /** It has been told that it is too fast, and has not slowed down since. */
  #tooFast = false;
  #closed = false;

  constructor(actor: ClientActor, setup: SessionSetup) {
    this.#actor = actor;
    this.#setup = setup;
  }

  get sid(): string {
    return this.#actor.sid;
  }

  /** `on_connect` may take as long as its back ends may, so the call has no deadline of its own. */
  attach(sink: Sink, transport: TransportKind): Promise<void> {
    const { kernel } = this.#setup;
    return kernel.ask(this.#actor.self, { type: 'attach', sink, transport }, Number.POSITIVE_INFINITY);
  }

  receive(packet: ClientPacket): void {
    if (this.#closed) return;
    const actor = this.#actor;
    if (packet.type === 'ack' && actor.source.acknowledged(packet)) return;
    if (!this.#setup.directWebsocket || actor.output.transport === 'polling') this.#setup.routedPackets.value += 1;
    if (actor.backlog >= maxBacklog && !this.#catchUp()) return this.#refuse();
    if (this.#tooFast && actor.backlog < maxBacklog / 2) this.#tooFast = false;
    actor.self.tell(packet);
  }

  /**
   * A burst brings more packets in one turn of the event loop than may wait. A client whose hooks need not be waited for
   * handles some of them now; false if it waits, so that nothing can be handled.
   */
  #catchUp(): boolean {
    this.#actor.cell.runSlice();
    return this.#actor.backlog < maxBacklog;
  }

  /** Told once, not for each packet: an answer to a flood must not be one. */
  #refuse(): void {
    this.#actor.dropped();
    if (this.#tooFast) return;
    this.#tooFast = true;
    this.reject(new HiveError('overloaded', `More than ${maxBacklog} packets are waiting; further ones are dropped.`));
  }

  reject(error: HiveError): void {
    if (!this.#closed) this.#actor.self.tell({ type: 'reject', error });
  }

  resume(sink: Sink, transport: TransportKind): void {
    this.#actor.resume(sink, transport);
  }

  close(reason: CloseReason, isAnswered = false): void {
    if (this.#closed) return;
    this.#closed = true;
    // It is handed over, and its connection was only to be sent what is being stored still.
    if (reason === 'shutdown' && this.#actor.output.phase === 'suspended') return;
    if (isAnswered) this.#actor.lost(reason);
    else this.#actor.close(reason);
  }

  /** The session is also who watches the actor: that spares every client a closure. */
  ended(): void {
    this.#setup.ended(this.#actor);
  }

  transport(kind: TransportKind): void {
    if (!this.#closed) this.#actor.output.transport = kind;
  }
}
