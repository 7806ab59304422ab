/**
 * The seam for clients that return to another node than that of their session: their connections stay where they have come, and a
 * namespace of a connection speaks with a session that is elsewhere as with one that is here (relay/remote-session.ts).
 */
import type { NodeName } from '../../kernel/types.ts';
import type { Encoded } from '../../protocol/packet.ts';
import type { Claim, CloseReason, ConnectedSession, TransportKind } from './client-handle.ts';

export interface RemoteSessions {
  /**
   * Asks the owner of a session for it. Undefined if no other node can own it. What is returned may be closed, and told of another
   * transport, before anybody has answered.
   * @param home the node that has it, if it is none whose boot made it
   */
  take(
    claim: Claim,
    namespace: string,
    transport: TransportKind,
    place: ReturnPlace,
    home: NodeName | undefined,
  ): Returning | undefined;
}

/**
 * What becomes of a return: the session has its client back; its owner does not give it back; it goes on at another node; there is no
 * owner that could be asked; the connection has ended meanwhile.
 */
export type ReturnOutcome = 'recovered' | 'refused' | 'left' | 'unreachable' | 'closed';

export interface Returning extends ConnectedSession {
  /** Never rejects. */
  readonly outcome: Promise<ReturnOutcome>;
}

/** A client's place on its connection, as a session sees it that is elsewhere. */
export interface ReturnPlace {
  /** The session has its client back. What it has missed follows. */
  recovered(sid: string, pid: string): void;
  deliver(packet: Encoded): void;
  end(reason: CloseReason): void;
}
