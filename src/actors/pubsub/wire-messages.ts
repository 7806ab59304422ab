/** What the pub-sub managers of nodes tell one another. Other nodes may send anything: `isWireMessage` looks at it first. */
import type { Call, NodeName } from '../../kernel/types.ts';
import type { Privilege } from '../../plugins/types.ts';
import type { WirePublication } from './publication.ts';

export type WireMessage = InterestMessage | InterestRequest | StaleInterest | PublishMessage;

/** A node tells its channels: all of them, or changes. */
export interface InterestMessage extends Call<void> {
  readonly type: 'interest';
  readonly node: NodeName;
  readonly all: boolean;
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** The manager of that node has restarted: it wants to be told all channels. */
export interface InterestRequest {
  readonly type: 'interest_wanted';
  readonly node: NodeName;
}

/** What that node told does not count any more; it will tell everything when it has been answered. */
export interface StaleInterest extends Call<void> {
  readonly type: 'interest_stale';
  readonly node: NodeName;
}

export interface PublishMessage {
  readonly type: 'publish';
  readonly channels: readonly string[];
  readonly privilege: Privilege;
  readonly publication: WirePublication;
}

/** Whether it has the form of one. What it publishes is looked into when it is read. */
export function isWireMessage(message: unknown): message is WireMessage {
  const { type, node, all, add, remove, channels } = Object(message) as Record<string, unknown>;
  switch (type) {
    case 'publish':
      return areStrings(channels);
    case 'interest':
      return typeof node === 'string' && typeof all === 'boolean' && areStrings(add) && areStrings(remove);
    case 'interest_wanted':
    case 'interest_stale':
      return typeof node === 'string';
    default:
      return false;
  }
}

function areStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
