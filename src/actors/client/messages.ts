/** What the actor of a client is told. */
import type { Call } from '../../kernel/types.ts';
import type { HiveError } from '../../observe/errors.ts';
import type { ActionCall } from '../../plugins/types.ts';
import type { ClientEvent, ClientMessage, ClientPacket, EventPacket } from '../../protocol/packet.ts';
import type { Sink, TransportKind } from '../../web/client/client-handle.ts';
import type { ClientDelivery } from '../contracts.ts';
import type { Close } from './output.ts';
import type { LifeEvent } from './returns.ts';

export type Attach = { readonly type: 'attach'; readonly sink: Sink; readonly transport: TransportKind } & Call<void>;
type RunActions = { readonly type: 'act'; readonly actions: readonly ActionCall[] };
/** Behind what waits for its hooks. */
type Send = { readonly type: 'send'; readonly packet: EventPacket };
type Terminate = { readonly type: 'terminate'; readonly reason: string };
/** Answered when its connection has been closed. */
type HandOver = { readonly type: 'hand_over' } & Call<void>;

export type ClientActorMessage =
  | ClientPacket
  | Attach
  | RunActions
  | Send
  | ClientDelivery
  | { readonly type: 'reject'; readonly error: HiveError }
  | Terminate
  | HandOver
  | Close
  | LifeEvent;

/** Messages whose handling may fail without ending the client. */
export type Attempted = ClientEvent | ClientMessage | RunActions | ClientDelivery | Terminate | LifeEvent;
