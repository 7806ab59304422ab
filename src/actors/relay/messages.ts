/** What the relays of two nodes tell each other. `node` is the sender; the entry node numbers the streams. */
import type { NodeName } from '../../kernel/types.ts';
import type { Opening, ToEntry, ToOwner } from '../../web/relay.ts';

/** The name under which every node's relay is registered. */
export const relayName = 'hive_relay';

/** The node that has the client, and the one that owns its session. */
export type Side = 'entry' | 'owner';

export type RelayMessage =
  | { readonly type: 'open'; readonly node: NodeName; readonly stream: number; readonly opening: Opening }
  | {
      readonly type: 'signal';
      readonly node: NodeName;
      readonly stream: number;
      /** A ToOwner or a ToEntry. */
      readonly to: Side;
      readonly signal: ToOwner | ToEntry;
      /** It closes the stream. */
      readonly last: boolean;
    }
  /** The sender knows no such stream, or has lost it. */
  | { readonly type: 'lost'; readonly node: NodeName; readonly stream: number; readonly to: Side }
  /** The sender has started anew: it knows no stream at all. */
  | { readonly type: 'started'; readonly node: NodeName };

/** What comes from other nodes, which may run other versions, is looked at before it is used. */
export function isRelayMessage(message: unknown): message is RelayMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { type, node, stream, to, signal, opening } = message as Record<string, unknown>;
  if (typeof node !== 'string') return false;
  if (type === 'started') return true;
  if (typeof stream !== 'number') return false;
  if (type === 'open') return typeof opening === 'object' && opening !== null;
  if (to !== 'owner' && to !== 'entry') return false;
  return type === 'lost' || (type === 'signal' && typeof signal === 'object' && signal !== null);
}
