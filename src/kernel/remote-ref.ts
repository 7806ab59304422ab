/** References that lead to another node, or to whoever bears a name. */
import { HiveError } from '../observe/errors.ts';
import type { DeadLetterReason } from './messages.ts';
import { EqualByText } from './small-set.ts';
import type { NamedTarget, Offered, PendingFrom, RemoteTarget, Transport } from './transport.ts';
import type { AnyRef, From, NodeName, Ref } from './types.ts';

/** What references need of their host. */
export interface RefHost {
  readonly node: NodeName;
  readonly transport: Transport | undefined;
  whereis<Message>(name: string): Ref<Message> | undefined;
  deadLetter(to: AnyRef, reason: DeadLetterReason, message: unknown): void;
}

/** An actor of another node, by its process identifier: two references to the same one are the same value. */
export class RemoteRef<Message> extends EqualByText implements Ref<Message> {
  readonly node: NodeName;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
  readonly #host: RefHost;

  constructor(host: RefHost, node: NodeName, id: number, serial: number, creation: number) {
    super();
    this.#host = host;
    this.node = node;
    this.id = id;
    this.serial = serial;
    this.creation = creation;
  }

  tell(message: Message): boolean {
    return sendRemote(this.#host, this, message);
  }

  call(message: Message, from: From): void {
    callRemote(this.#host, this, message, from);
  }

  toString(): string {
    return `<${this.node}/${this.creation}.${this.id}.${this.serial}>`;
  }
}

/** Whoever is registered under a name on a node. */
export class NamedRef<Message> implements Ref<Message> {
  readonly node: NodeName;
  readonly name: string;
  readonly id = 0;
  readonly serial = 0;
  readonly creation = 0;
  readonly address: NamedTarget;
  readonly #host: RefHost;

  constructor(host: RefHost, node: NodeName, name: string) {
    this.#host = host;
    this.node = node;
    this.name = name;
    this.address = { node, name };
  }

  tell(message: Message): boolean {
    if (this.node !== this.#host.node) return sendRemote(this.#host, this.address, message);
    const local = this.#host.whereis<Message>(this.name);
    if (local) return local.tell(message);
    this.#host.deadLetter(this, 'unknown_name', message);
    return false;
  }

  /** Sends to another node, unless too much waits for it (see `Transport.offer`). */
  offer(message: Message): Offered {
    return this.#host.transport?.offer(this.address, message) ?? 'later';
  }

  /** What was sent to its node leaves now. */
  flush(): void {
    this.#host.transport?.flush(this.node);
  }

  call(message: Message, from: From): void {
    if (this.node !== this.#host.node) return callRemote(this.#host, this.address, message, from);
    const local = this.#host.whereis<Message>(this.name);
    if (local) local.call(message, from);
    else from.fail(new HiveError('not_running', `No actor named ${this.name} is running.`));
  }

  toString(): string {
    return `{${this.name}, ${this.node}}`;
  }
}

function sendRemote(host: RefHost, to: AnyRef | RemoteTarget, message: unknown): boolean {
  if (host.transport?.send(to, message)) return true;
  const ref = 'serial' in to ? to : new NamedRef<never>(host, to.node, to.name);
  host.deadLetter(ref, to.node === host.node ? 'dead' : 'no_connection', message);
  return false;
}

function callRemote(host: RefHost, to: AnyRef | RemoteTarget, message: unknown, from: From): void {
  if (host.transport) host.transport.call(to, message, from as PendingFrom);
  else from.fail(new HiveError('cluster_error', `${to.node} is not connected.`));
}
