/**
 * The handshake of two nodes, version 6, as a pure state machine for both sides: packets in, packets out.
 *
 *   initiator                                         acceptor
 *   send_name ─────────────────────────────────────▶  decides: ok, ok_simultaneous, nok, not_allowed, alive
 *             ◀───────────────────────────────────── status
 *   (status true / false, after alive) ────────────▶
 *             ◀───────────────────────────────────── challenge
 *   challenge_reply (digest of the cookie) ────────▶  checks
 *   checks    ◀───────────────────────────────────── challenge_ack
 *
 * Source: Erlang distribution protocol. What follows the name in send_name and challenge is ignored by Erlang; our nodes
 * recognise each other by it.
 */
import { createHash, randomInt, timingSafeEqual } from 'node:crypto';

/** Capabilities, DFLAG_… of the protocol. */
export const flag = {
  extendedReferences: 0x4n,
  distMonitor: 0x8n,
  funTags: 0x10n,
  distMonitorName: 0x20n,
  newFunTags: 0x80n,
  extendedPidsPorts: 0x100n,
  exportPtrTag: 0x200n,
  bitBinaries: 0x400n,
  newFloats: 0x800n,
  smallAtomTags: 0x4000n,
  utf8Atoms: 0x10000n,
  mapTag: 0x20000n,
  bigCreation: 0x40000n,
  sendSender: 0x80000n,
  exitPayload: 0x400000n,
  handshake23: 0x1000000n,
  unlinkId: 0x2000000n,
  mandatory25: 0x4000000n,
  v4NodeContainers: 1n << 34n,
  alias: 1n << 35n,
} as const;

/** What we can. Not PUBLISHED: a hidden node stays out of `global`. No atom cache, no fragments: they change the framing. */
export const ownFlags = Object.values(flag).reduce((all, one) => all | one, 0n);

const mandatory =
  flag.extendedReferences |
  flag.funTags |
  flag.newFunTags |
  flag.extendedPidsPorts |
  flag.exportPtrTag |
  flag.bitBinaries |
  flag.newFloats |
  flag.utf8Atoms |
  flag.mapTag |
  flag.bigCreation |
  flag.handshake23;

/** Follows our name in the handshake. */
const hiveMark = Buffer.from('hive');

export type Status = 'ok' | 'ok_simultaneous' | 'nok' | 'not_allowed' | 'alive';

/** Who the other side is, as far as the handshake tells. */
export interface Peer {
  readonly node: string;
  readonly creation: number;
  readonly flags: bigint;
  /** Another node of ours, not one of Erlang's. */
  readonly hive: boolean;
}

export type FailureKind = 'cookie' | 'refused' | 'alive' | 'simultaneous' | 'protocol' | 'wrong_node';

/** The handshake ended without a connection. */
export class HandshakeError extends Error {
  readonly kind: FailureKind;
  constructor(kind: FailureKind, message: string) {
    super(message);
    this.name = 'HandshakeError';
    this.kind = kind;
  }
}

export interface Self {
  readonly node: string;
  readonly creation: number;
  readonly cookie: string;
}

/** What the owner of a handshake must do next. */
export type Step =
  | { readonly type: 'send'; readonly packets: readonly Buffer[] }
  /** Acceptor only: decide about this peer, then call `decide`. */
  | { readonly type: 'decide'; readonly peer: Peer }
  /** Send these, then the connection is up. */
  | { readonly type: 'connected'; readonly peer: Peer; readonly packets: readonly Buffer[] };

/** The digest that proves knowledge of the cookie. */
export function digest(cookie: string, challenge: number): Buffer {
  return createHash('md5').update(cookie).update(String(challenge)).digest();
}

export class Initiator {
  readonly #self: Self;
  readonly #expected: string;
  readonly #replacesOld: () => boolean;
  #state: 'status' | 'challenge' | 'ack' = 'status';
  #challenge = 0;
  #peer: Peer | undefined;

  /**
   * @param expected the name of the node that is dialled
   * @param replacesOld asked when the other side believes that it has a connection to us already: go on instead of it?
   */
  constructor(self: Self, expected: string, replacesOld: () => boolean) {
    this.#self = self;
    this.#expected = expected;
    this.#replacesOld = replacesOld;
  }

  /** The first packet. */
  start(): Buffer {
    return namePacket(this.#self, undefined);
  }

  /** @throws HandshakeError */
  receive(packet: Buffer): Step {
    switch (this.#state) {
      case 'status':
        return this.#status(packet);
      case 'challenge':
        return this.#receiveChallenge(packet);
      case 'ack':
        return this.#ack(packet);
    }
  }

  #status(packet: Buffer): Step {
    if (packet[0] !== 0x73) throw new HandshakeError('protocol', 'no status came');
    const status = packet.toString('latin1', 1);
    this.#state = 'challenge';
    switch (status) {
      case 'ok':
      case 'ok_simultaneous':
        return { type: 'send', packets: [] };
      case 'alive': {
        if (!this.#replacesOld()) {
          throw new HandshakeError('alive', `${this.#expected} is connected with a node of our name`);
        }
        return { type: 'send', packets: [statusPacket('true')] };
      }
      case 'nok':
        throw new HandshakeError('simultaneous', `${this.#expected} is connecting to us at this moment`);
      case 'not_allowed':
        throw new HandshakeError(
          'refused',
          `${this.#expected} does not let ${this.#self.node} in: a node of that name is connected with it, or it allows certain nodes only`,
        );
      default:
        throw new HandshakeError('protocol', `unknown status "${status.slice(0, 40)}"`);
    }
  }

  #receiveChallenge(packet: Buffer): Step {
    const { peer, challenge } = parseName(packet, true);
    if (peer.node !== this.#expected) {
      throw new HandshakeError('wrong_node', `${peer.node} answers instead of ${this.#expected}`);
    }
    requireFlags(peer);
    this.#peer = peer;
    this.#challenge = randomInt(2 ** 32);
    this.#state = 'ack';
    const reply = Buffer.alloc(21);
    reply[0] = 0x72;
    reply.writeUInt32BE(this.#challenge, 1);
    digest(this.#self.cookie, challenge).copy(reply, 5);
    return { type: 'send', packets: [reply] };
  }

  #ack(packet: Buffer): Step {
    const peer = this.#peer!;
    if (packet[0] !== 0x61 || packet.length !== 17) throw new HandshakeError('protocol', 'no challenge_ack came');
    if (!timingSafeEqual(packet.subarray(1), digest(this.#self.cookie, this.#challenge))) {
      throw new HandshakeError('cookie', `${peer.node} has another cookie`);
    }
    return { type: 'connected', peer, packets: [] };
  }
}

export class Acceptor {
  readonly #self: Self;
  #state: 'name' | 'deciding' | 'confirmation' | 'reply' = 'name';
  #challenge = 0;
  #peer: Peer | undefined;

  constructor(self: Self) {
    this.#self = self;
  }

  /** The other side, once it has said its name. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  /** @throws HandshakeError */
  receive(packet: Buffer): Step {
    switch (this.#state) {
      case 'name': {
        const { peer } = parseName(packet, false);
        requireFlags(peer);
        this.#peer = peer;
        this.#state = 'deciding';
        return { type: 'decide', peer };
      }
      case 'deciding':
        throw new HandshakeError('protocol', `${this.#peer!.node} does not wait for the status`);
      case 'confirmation': {
        if (packet.toString('latin1') !== 'strue') {
          throw new HandshakeError('alive', `${this.#peer!.node} keeps its old connection`);
        }
        return { type: 'send', packets: [this.#sendChallenge()] };
      }
      case 'reply':
        return this.#reply(packet);
    }
  }

  /** The answer to a `decide` step. `nok` and `not_allowed` end the handshake once the packet is sent. */
  decide(status: Status): readonly Buffer[] {
    if (status === 'alive') {
      this.#state = 'confirmation';
      return [statusPacket(status)];
    }
    if (status === 'nok' || status === 'not_allowed') return [statusPacket(status)];
    return [statusPacket(status), this.#sendChallenge()];
  }

  #sendChallenge(): Buffer {
    this.#state = 'reply';
    this.#challenge = randomInt(2 ** 32);
    return namePacket(this.#self, this.#challenge);
  }

  #reply(packet: Buffer): Step {
    const peer = this.#peer!;
    if (packet[0] !== 0x72 || packet.length !== 21) throw new HandshakeError('protocol', 'no challenge_reply came');
    if (!timingSafeEqual(packet.subarray(5), digest(this.#self.cookie, this.#challenge))) {
      throw new HandshakeError('cookie', `${peer.node} has another cookie`);
    }
    const ack = Buffer.concat([Buffer.of(0x61), digest(this.#self.cookie, packet.readUInt32BE(1))]);
    return { type: 'connected', peer, packets: [ack] };
  }
}

/** send_name, or the challenge message if there is a challenge: they differ in that field only. */
function namePacket(self: Self, challenge: number | undefined): Buffer {
  const name = Buffer.from(self.node);
  const head = Buffer.alloc(challenge === undefined ? 15 : 19);
  head[0] = 0x4e;
  head.writeBigUInt64BE(ownFlags, 1);
  let position = 9;
  if (challenge !== undefined) position = head.writeUInt32BE(challenge, position);
  position = head.writeUInt32BE(self.creation, position);
  head.writeUInt16BE(name.length, position);
  return Buffer.concat([head, name, hiveMark]);
}

function parseName(packet: Buffer, withChallenge: boolean): { peer: Peer; challenge: number } {
  const fixed = withChallenge ? 19 : 15;
  if (packet[0] === 0x6e) throw new HandshakeError('protocol', 'the other node speaks version 5 of the handshake only');
  if (packet[0] !== 0x4e || packet.length < fixed) throw new HandshakeError('protocol', 'no name came');
  const end = fixed + packet.readUInt16BE(fixed - 2);
  if (packet.length < end) throw new HandshakeError('protocol', 'the name is cut off');
  const node = packet.toString('utf8', fixed, end);
  if (!/^[^@\s]+@[^@\s]+$/.test(node) || node.length > 255) {
    throw new HandshakeError('protocol', `"${node.slice(0, 40)}" is no name of a node`);
  }
  const peer = {
    node,
    creation: packet.readUInt32BE(fixed - 6),
    flags: packet.readBigUInt64BE(1),
    hive: packet.subarray(end, end + hiveMark.length).equals(hiveMark),
  };
  return { peer, challenge: withChallenge ? packet.readUInt32BE(9) : 0 };
}

function requireFlags(peer: Peer): void {
  const absent = mandatory & ~peer.flags;
  if ((peer.flags & flag.mandatory25) === 0n && absent !== 0n) {
    throw new HandshakeError('protocol', `${peer.node} lacks mandatory capabilities (0x${absent.toString(16)})`);
  }
}

function statusPacket(status: string): Buffer {
  return Buffer.from(`s${status}`, 'latin1');
}
