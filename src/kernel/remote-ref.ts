/** References that lead to another node, or to whoever bears a name. */
import { HiveError } from '../observe/errors.ts';
import type { Kernel } from './kernel.ts';
import type { NamedTarget, PendingFrom, RemoteTarget } from './transport.ts';
import type { From, NodeName, Ref } from './types.ts';

/** An actor of another node, by its process identifier. */
export class RemoteRef<Message> implements Ref<Message> {
  readonly node: NodeName;
  readonly id: number;
  readonly serial: number;
  readonly creation: number;
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, node: NodeName, id: number, serial: number, creation: number) {
    this.#kernel = kernel;
    this.node = node;
    this.id = id;
    this.serial = serial;
    this.creation = creation;
  }

  tell(message: Message): void {
    sendRemote(this.#kernel, this, message);
  }

  call(message: Message, from: From): void {
    callRemote(this.#kernel, this, message, from);
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
  readonly #kernel: Kernel;

  constructor(kernel: Kernel, node: NodeName, name: string) {
    this.#kernel = kernel;
    this.node = node;
    this.name = name;
    this.address = { node, name };
  }

  tell(message: Message): void {
    if (this.node !== this.#kernel.node) return sendRemote(this.#kernel, this.address, message);
    const local = this.#kernel.whereis<Message>(this.name);
    if (local) local.tell(message);
    else this.#kernel.deadLetter(this, 'unknown_name', message);
  }

  /** Sends to another node, unless too much waits for it (see `Transport.offer`). @returns whether it was sent */
  offer(message: Message): boolean {
    return this.#kernel.transport?.offer(this.address, message) ?? false;
  }

  call(message: Message, from: From): void {
    if (this.node !== this.#kernel.node) return callRemote(this.#kernel, this.address, message, from);
    const local = this.#kernel.whereis<Message>(this.name);
    if (local) local.call(message, from);
    else from.fail(new HiveError('not_running', `No actor named ${this.name} is running.`));
  }

  toString(): string {
    return `{${this.name}, ${this.node}}`;
  }
}

function sendRemote(kernel: Kernel, to: Ref<never> | RemoteTarget, message: unknown): void {
  if (kernel.transport?.send(to, message)) return;
  const ref = 'serial' in to ? to : kernel.remote(to.node, to.name);
  kernel.deadLetter(ref, to.node === kernel.node ? 'dead' : 'no_connection', message);
}

function callRemote(kernel: Kernel, to: Ref<never> | RemoteTarget, message: unknown, from: From): void {
  if (kernel.transport) kernel.transport.call(to, message, from as PendingFrom);
  else from.fail(new HiveError('cluster_error', `${to.node} is not connected.`));
}
