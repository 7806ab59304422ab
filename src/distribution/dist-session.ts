/**
 * What two nodes have with each other from the first message until the connection is lost: links, monitors, calls. It
 * exists while the connection is still being made (its frames wait in the outbox), and when it ends, everything it held
 * ends with `noconnection`. A new connection is a new session.
 */
import type { Kernel } from '../kernel/kernel.ts';
import { RemoteRef } from '../kernel/remote-ref.ts';
import type { Offered, PendingFrom, RemoteTarget } from '../kernel/transport.ts';
import {
  type AnyRef,
  type Call,
  callFailure,
  callTimeoutMs,
  type ExitReason,
  type From,
  type NodeName,
} from '../kernel/types.ts';
import { HiveError } from '../observe/errors.ts';
import type { Log } from '../observe/logger.ts';
import type { Counter } from '../observe/metrics.ts';
import { Decoder } from './codec/decoder.ts';
import { HeaderCache } from './codec/header-cache.ts';
import { Atom, atom, ImproperList, isAtom, Reference, TermError, Tuple, tuple } from './codec/terms.ts';
import { type Control, isRef, op, type Proc, readControl } from './control.ts';
import { serveSystem, supervisorRequest } from './otp-requests.ts';
import { Outbox } from './outbox.ts';
import { failureToTerm, reasonToTerm, termToFailure, termToReason } from './reasons.ts';

/** A name that the distribution layer itself answers to. */
export type Builtin = (message: unknown, from: From | undefined, session: DistSession) => void;

/** What all sessions of a node share. */
export interface DistSessionContext {
  readonly kernel: Kernel;
  readonly log: Log;
  readonly maxQueueBytes: number;
  readonly maxDepth: number;
  readonly maxElements: number;
  readonly maxAtoms: number;
  readonly maxFrameBytes: number;
  readonly builtins: ReadonlyMap<string, Builtin>;
  readonly received: Counter;
  readonly sent: Counter;
  readonly errors: Counter;
}

interface OutgoingMonitor {
  readonly target: RemoteTarget;
  readonly ended: (reason: ExitReason) => void;
}

interface OutgoingCall {
  readonly target: RemoteTarget;
  readonly from: PendingFrom;
}

interface ActorLink {
  readonly local: AnyRef;
  readonly remote: AnyRef;
}

/** Which table a reference of ours belongs to; its third word. */
const kind = { monitor: 1, call: 2 } as const;
const genCall = atom('$gen_call');
const alias = atom('alias');

export class DistSession {
  readonly node: NodeName;
  readonly outbox: Outbox;
  readonly #context: DistSessionContext;
  readonly #kernel: Kernel;
  readonly #decoder: Decoder;
  readonly #readPayload: () => unknown;
  readonly #head = new HeaderCache();
  /** The process that calls come from, and that messages of nobody come from. */
  readonly #self: AnyRef;
  readonly #monitors = new Map<number, OutgoingMonitor>();
  readonly #calls = new Map<number, OutgoingCall>();
  readonly #links = new Map<string, ActorLink>();
  /** Links that we ended and the peer has not confirmed; meanwhile what comes over them counts for nothing. */
  readonly #unlinking = new Map<string, number>();
  /** Monitors of the peer on actors here, and how to end each. */
  readonly #watches = new Map<string, Disposable>();
  #lastUnlink = 0;
  #ended = false;

  constructor(node: NodeName, context: DistSessionContext) {
    const { kernel } = context;
    this.node = node;
    this.outbox = new Outbox(context.maxQueueBytes);
    this.#context = context;
    this.#kernel = kernel;
    this.#self = kernel.remotePid(kernel.node, 0, 0, kernel.creation);
    this.#decoder = new Decoder({
      maxDepth: context.maxDepth,
      maxElements: context.maxElements,
      maxAtoms: context.maxAtoms,
      // What a frame unfolds to counts like what it is.
      maxInflated: context.maxFrameBytes,
      makePid: (of, id, serial, creation) => {
        const local = of === kernel.node ? kernel.local(id, serial, creation) : undefined;
        return local ?? kernel.remotePid(of as NodeName, id, serial, creation);
      },
    });
    this.#readPayload = () => this.#decoder.versioned();
  }

  // --- from here to the peer

  send(to: RemoteTarget, message: unknown): boolean {
    try {
      return this.#send(to, message);
    } catch (error) {
      this.#unsendable(error);
      return true;
    }
  }

  /** As `send`, but not where much waits already. */
  offer(to: RemoteTarget, message: unknown): Offered {
    if (this.outbox.isHalfFull) return 'later';
    try {
      return this.#send(to, message) ? 'sent' : 'later';
    } catch (error) {
      this.#unsendable(error);
      return 'never';
    }
  }

  /** @throws TermError */
  #send(to: RemoteTarget, message: unknown): boolean {
    if (this.#ended || !this.outbox.send(this.#self, to, message)) return false;
    this.#context.sent.value += 1;
    return true;
  }

  call(to: RemoteTarget, message: unknown, from: PendingFrom): void {
    // Unique beyond this session: an answer that outlives a connection must not meet another call on the next one.
    const number = this.#kernel.nextMonitor();
    const ref = this.#reference(number, kind.call);
    // First of all, because the sending may end the session, and with it the call.
    this.#calls.set(number, { target: to, from });
    from.settled = () => {
      if (this.#calls.delete(number) && !this.#ended) this.outbox.monitor(op.demonitor, this.#self, to, ref);
    };
    this.outbox.monitor(op.monitor, this.#self, to, ref);
    try {
      if (this.#send(to, tuple(genCall, tuple(this.#self, new ImproperList([alias], ref)), message))) return;
      from.fail(new HiveError('cluster_error', `The message for ${this.node} cannot be sent.`));
    } catch (error) {
      const why = this.#unsendable(error);
      from.fail(new HiveError('cluster_error', `The message for ${this.node} cannot be sent: ${why}.`));
    }
  }

  link(local: AnyRef, remote: AnyRef): void {
    const key = linkKey(local, remote);
    this.#unlinking.delete(key);
    this.#links.set(key, { local, remote });
    this.outbox.link(op.link, local, remote);
  }

  unlink(local: AnyRef, remote: AnyRef): void {
    const key = linkKey(local, remote);
    if (!this.#links.delete(key)) return;
    this.#lastUnlink += 1;
    this.#unlinking.set(key, this.#lastUnlink);
    this.outbox.link(op.unlinkId, local, remote, this.#lastUnlink);
  }

  exit(local: AnyRef, remote: AnyRef, reason: ExitReason): void {
    this.#exit(op.exit2, local, remote, reason);
  }

  linkExit(local: AnyRef, remote: AnyRef, reason: ExitReason): void {
    if (this.#links.delete(linkKey(local, remote))) this.#exit(op.exit, local, remote, reason);
  }

  #exit(operation: number, local: AnyRef, remote: AnyRef, reason: ExitReason): void {
    try {
      this.outbox.exit(operation, local, remote, reasonToTerm(reason));
    } catch (error) {
      this.#unsendable(error);
      this.outbox.exit(operation, local, remote, atom('unprintable'));
    }
  }

  monitor(watcher: AnyRef, monitor: number, target: RemoteTarget): void {
    const ref = this.#refOf(target);
    const ended = (reason: ExitReason) => this.#kernel.signalDown(watcher, { monitor, ref, reason });
    this.#monitors.set(monitor, { target, ended });
    this.outbox.monitor(op.monitor, watcher, target, this.#reference(monitor, kind.monitor));
  }

  demonitor(watcher: AnyRef, monitor: number, target: RemoteTarget): void {
    if (!this.#monitors.delete(monitor)) return;
    this.outbox.monitor(op.demonitor, watcher, target, this.#reference(monitor, kind.monitor));
  }

  /** `gen_server:stop`: as a system message, which every process of OTP understands. */
  stop(target: RemoteTarget, reason: ExitReason, ended: (reason: ExitReason) => void): void {
    const monitor = this.#kernel.nextMonitor();
    const ref = this.#reference(monitor, kind.monitor);
    this.#monitors.set(monitor, { target, ended });
    this.outbox.monitor(op.monitor, this.#self, target, ref);
    const tag = tuple(this.#self, new ImproperList([alias], this.#reference(monitor, kind.call)));
    if (this.send(target, tuple(atom('system'), tag, tuple(atom('terminate'), reasonToTerm(reason))))) return;
    this.#monitors.delete(monitor);
    ended('noconnection');
  }

  /** Asks whoever serves remote procedure calls there; undefined also if nobody does. */
  whereis(name: string, found: (pid: AnyRef | undefined) => void): void {
    const rex = this.#kernel.remote<Call<unknown>>(this.node, 'rex');
    const asked = tuple(atom('call'), atom('erlang'), atom('whereis'), [atom(name)], atom('user'));
    this.#kernel.askThen(
      rex,
      asked as Call<unknown>,
      callTimeoutMs,
      (pid) => found(isRef(pid) ? pid : undefined),
      () => found(undefined),
    );
  }

  /** The reply to a call of the peer's. */
  reply(to: AnyRef, callTag: unknown, value: unknown): void {
    if (this.#ended) return;
    try {
      this.#answer(to, callTag, value);
    } catch (error) {
      this.#unsendable(error);
      this.#answer(to, callTag, failureToTerm(new HiveError('internal_error', 'The answer cannot be sent.')));
    }
  }

  #answer(to: AnyRef, callTag: unknown, value: unknown): void {
    const ref = aliasOf(callTag);
    if (ref) this.outbox.sendAlias(this.#self, ref, tuple(callTag, value));
    else this.outbox.send(this.#self, to, tuple(callTag, value));
  }

  /** The connection is lost, or never came: whoever relies on it hears so, once. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    const lost = new HiveError('cluster_error', `The connection to ${this.node} is lost (${reason}).`);
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    for (const { from } of calls) from.fail(lost);
    for (const { local, remote } of this.#links.values()) this.#kernel.signalLinkExit(remote, local, 'noconnection');
    for (const { ended } of this.#monitors.values()) ended('noconnection');
    for (const watch of this.#watches.values()) watch[Symbol.dispose]();
    this.#links.clear();
    this.#monitors.clear();
    this.#watches.clear();
  }

  // --- from the peer to here

  /** A frame came, from `start` to `end` of the bytes. @throws TermError, and the connection must end, if it is malformed */
  receive(bytes: Buffer, start = 0, end = bytes.length): void {
    if (bytes[start] !== 112) throw new TermError(`frame type ${bytes[start]} was not agreed on`, 'byte 0');
    const decoder = this.#decoder;
    const head = this.#head;
    this.#context.received.value += 1;
    decoder.open(bytes, start, end);
    const name = head.nameIn(decoder);
    if (name !== undefined) {
      this.#deliverNamed(name, decoder.versioned());
    } else {
      decoder.skip(1);
      const control = readControl(decoder.versioned(), this.#readPayload);
      if (control.type === 'send_named') head.remember(decoder, start, control.to);
      this.#perform(control);
    }
    decoder.close();
  }

  #perform(control: Control): void {
    switch (control.type) {
      case 'send':
        return this.#deliver(control.to, this.#readPayload());
      case 'send_named':
        return this.#deliverNamed(control.to, this.#readPayload());
      case 'send_alias':
        return this.#answered(control.alias, this.#readPayload());
      case 'link':
        return this.#linked(control.from, control.to);
      case 'unlink':
        if (this.#links.delete(linkKey(control.to, control.from))) this.#kernel.unlinkFrom(control.from, control.to);
        if (control.id !== undefined) this.outbox.link(op.unlinkIdAck, control.to, control.from, control.id);
        return;
      case 'unlink_ack': {
        const key = linkKey(control.to, control.from);
        if (this.#unlinking.get(key) === control.id) this.#unlinking.delete(key);
        return;
      }
      case 'exit':
        return this.#exited(control.from, control.to, control.linked, termToReason(control.reason));
      case 'monitor':
        return this.#watch(control.from, control.to, control.ref);
      case 'demonitor': {
        const key = control.ref.toString();
        this.#watches.get(key)?.[Symbol.dispose]();
        this.#watches.delete(key);
        return;
      }
      case 'down':
        return this.#down(control.ref, termToReason(control.reason));
      case 'spawn':
        return this.outbox.refuseSpawn(control.request, control.from);
      case 'ignored':
        return;
    }
  }

  #deliver(to: AnyRef, message: unknown): void {
    // A pid of this node that was not found became a remote reference: its actor has ended.
    if (to instanceof RemoteRef) return this.#kernel.deadLetter(to, 'dead', message);
    const kernel = this.#kernel;
    const call = this.#callIn(message);
    if (!call) return kernel.foreign(to, named(castIn(message)), undefined);
    if (call.isSystem) return serveSystem(kernel, to, call.message, call.from);
    const asked = supervisorRequest(call.message, call.from);
    if (asked && kernel.admits(to, asked.message)) kernel.foreign(to, asked.message, asked.from);
    else kernel.foreign(to, named(call.message), call.from);
  }

  #deliverNamed(name: string, message: unknown): void {
    const builtin = this.#context.builtins.get(name);
    if (builtin) {
      const call = this.#callIn(message);
      return builtin(call ? call.message : castIn(message), call?.from, this);
    }
    const local = this.#kernel.whereis(name);
    if (local) this.#deliver(local, message);
    else this.#kernel.deadLetter(this.#kernel.remote(this.#kernel.node, name), 'unknown_name', message);
  }

  /** `{'$gen_call', {Pid, Tag}, Message}`, or the same with `system`. */
  #callIn(message: unknown): { message: unknown; from: From; isSystem: boolean } | undefined {
    if (!(message instanceof Tuple) || message.items.length !== 3) return undefined;
    const [kind, from, asked] = message.items;
    const isSystem = isAtom(kind, 'system');
    if (!isSystem && !isAtom(kind, '$gen_call')) return undefined;
    if (!(from instanceof Tuple) || !isRef(from.items[0])) return undefined;
    return { message: asked, from: new RemoteFrom(this, from.items[0], from.items[1]), isSystem };
  }

  #answered(ref: Reference, message: unknown): void {
    const number = this.#numberOf(ref, kind.call);
    const call = number === undefined ? undefined : this.#calls.get(number);
    // The caller has stopped waiting.
    if (!call || !(message instanceof Tuple)) return;
    const reply = message.items[1];
    const failure = termToFailure(reply);
    if (failure) call.from.fail(failure);
    else call.from.reply(reply);
  }

  #linked(remote: AnyRef, local: AnyRef): void {
    const key = linkKey(local, remote);
    if (this.#links.has(key) || this.#unlinking.has(key)) return;
    if (this.#kernel.linkFrom(remote, local)) this.#links.set(key, { local, remote });
    else this.outbox.exit(op.exit, local, remote, atom('noproc'));
  }

  #exited(remote: AnyRef, local: AnyRef, linked: boolean, reason: ExitReason): void {
    if (!linked) return this.#kernel.signalExit(remote, local, reason);
    const key = linkKey(local, remote);
    this.#unlinking.delete(key);
    if (this.#links.delete(key)) this.#kernel.signalLinkExit(remote, local, reason);
  }

  #watch(watcher: AnyRef, target: Proc, ref: Reference): void {
    const key = ref.toString();
    if (typeof target === 'string' && this.#context.builtins.has(target)) return;
    const local = typeof target === 'string' ? this.#kernel.whereis(target) : target;
    const from = typeof target === 'string' ? { name: target } : target;
    if (!local) return this.outbox.down(from, watcher, ref, atom('noproc'));
    const watch = this.#kernel.onExit(local, (reason) => {
      if (!this.#watches.delete(key) || this.#ended) return;
      try {
        this.outbox.down(from, watcher, ref, reasonToTerm(reason));
      } catch (error) {
        this.#unsendable(error);
        this.outbox.down(from, watcher, ref, atom('unprintable'));
      }
    });
    this.#watches.set(key, watch);
  }

  #down(ref: Reference, reason: ExitReason): void {
    const monitor = this.#numberOf(ref, kind.monitor);
    if (monitor !== undefined) {
      const entry = this.#monitors.get(monitor);
      if (!entry) return;
      this.#monitors.delete(monitor);
      return entry.ended(reason);
    }
    const number = this.#numberOf(ref, kind.call);
    const call = number === undefined ? undefined : this.#calls.get(number);
    if (number === undefined || !call) return;
    this.#calls.delete(number);
    const whom = 'serial' in call.target ? `${call.target}` : call.target.name;
    call.from.fail(callFailure(`${whom} on ${this.node}`, reason));
  }

  // --- small things

  #reference(number: number, of: number): Reference {
    // The first word has 18 bits in older nodes.
    return new Reference(this.#kernel.node, this.#kernel.creation, [
      number % 2 ** 18,
      Math.floor(number / 2 ** 18),
      of,
    ]);
  }

  #numberOf(ref: Reference, of: number): number | undefined {
    if (ref.node !== this.#kernel.node || ref.creation !== this.#kernel.creation || ref.words[2] !== of)
      return undefined;
    return ref.words[0]! + ref.words[1]! * 2 ** 18;
  }

  #refOf(target: RemoteTarget): AnyRef {
    return 'serial' in target ? target : this.#kernel.remote(target.node, target.name);
  }

  #unsendable(error: unknown): string {
    if (!(error instanceof TermError)) throw error;
    const { errors, log } = this.#context;
    errors.value += 1;
    const why = error.message;
    this.#kernel.repeated.warn(log, `unsendable ${this.node}`, `a message for ${this.node} cannot be sent: ${why}`, {});
    return why;
  }
}

/** Who waits on another node for the answer to a `gen_server:call`. */
class RemoteFrom implements From {
  readonly #session: DistSession;
  readonly #pid: AnyRef;
  readonly #tag: unknown;
  #open = true;

  constructor(session: DistSession, pid: AnyRef, tag: unknown) {
    this.#session = session;
    this.#pid = pid;
    this.#tag = tag;
  }

  reply(value: unknown): void {
    if (!this.#open) return;
    this.#open = false;
    this.#session.reply(this.#pid, this.#tag, value);
  }

  fail(error: unknown): void {
    this.reply(failureToTerm(error));
  }
}

/** The reference in `[alias|Ref]` or `[[alias|Ref]|…]`, the tags of calls whose late answers must land nowhere. */
function aliasOf(callTag: unknown): Reference | undefined {
  if (!(callTag instanceof ImproperList)) return undefined;
  const [first] = callTag.items;
  if (first instanceof ImproperList) return aliasOf(first);
  return isAtom(first, 'alias') && callTag.tail instanceof Reference ? callTag.tail : undefined;
}

/** What `gen_server:cast` wraps. */
function castIn(message: unknown): unknown {
  const isCast = message instanceof Tuple && message.items.length === 2 && isAtom(message.items[0], '$gen_cast');
  return isCast ? message.items[1] : message;
}

/** Erlang nodes write `#{type => publish}`, our messages have a string there. */
function named(message: unknown): unknown {
  if (typeof message === 'object' && message !== null && 'type' in message && message.type instanceof Atom) {
    message.type = message.type.name;
  }
  return message;
}

function linkKey(local: AnyRef, remote: AnyRef): string {
  return `${local} ${remote}`;
}
