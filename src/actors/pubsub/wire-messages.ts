/** What the pub-sub managers of nodes tell one another. Other nodes may send anything: `isWireMessage` looks at it first. */
import type { Call, NodeName } from '../../kernel/types.ts';
import type { Position, Privilege, PublishOptions } from '../../plugins/types.ts';
import type { WirePublication } from './publication.ts';

export type WireMessage =
  | InterestMessage
  | InterestRequest
  | StaleInterest
  | PublishTerm
  | GapMessage
  | TakenMessage
  | TakenRequest
  | KeptRequest;

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

/**
 * What a boot of a node (`origin`, `id@host#creation`) has published. `after` is the number of what it has sent before to the node that gets
 * this: if that is not there, something is missing.
 */
export interface PublishMessage {
  readonly type: 'publish';
  readonly origin: string;
  readonly number: number;
  readonly after: number;
  /** Somebody waits for the acknowledgement. */
  readonly confirm: boolean;
  readonly channels: readonly string[];
  readonly privilege: Privilege;
  readonly publication: WirePublication;
  readonly options?: PublishOptions | undefined;
}

/** The same on its way: a list, see `WirePublication`. */
export type PublishTerm = readonly [
  type: 'publish',
  origin: string,
  number: number,
  after: number,
  confirm: boolean,
  channels: readonly string[],
  privilege: Privilege,
  publication: WirePublication,
  options?: PublishOptions,
];

export function toPublishTerm(message: PublishMessage): PublishTerm {
  const { type, origin, number, after, confirm, channels, privilege, publication, options } = message;
  if (options) return [type, origin, number, after, confirm, channels, privilege, publication, options];
  return [type, origin, number, after, confirm, channels, privilege, publication];
}

/** What is sent of a message that may hold more. */
export function toWire(message: PublishMessage | GapMessage): PublishTerm | GapMessage {
  if (message.type === 'publish') return toPublishTerm(message);
  const { type, origin, number, after, channels } = message;
  return { type, origin, number, after, channels };
}

export function fromPublishTerm(term: PublishTerm): PublishMessage {
  return {
    type: 'publish',
    origin: term[1],
    number: term[2],
    after: term[3],
    confirm: term[4],
    channels: term[5],
    privilege: term[6],
    publication: term[7],
    options: term[8],
  };
}

/** In place of publications, the last one of that number, that the origin could not keep. No channels: it may have been any. */
export interface GapMessage {
  readonly type: 'gap';
  readonly origin: string;
  readonly number: number;
  readonly after: number;
  readonly channels: readonly string[];
}

/** The boot `by` has everything of the origin's up to a number. `again`: nothing behind it, and it wants that sent again. */
export interface TakenMessage {
  readonly type: 'taken';
  readonly by: string;
  readonly origin: string;
  readonly upTo: number;
  readonly again: boolean;
}

/** What is kept for a boot that is gone. Both boots are `id@host#creation`. */
export interface KeptRequest extends Call<KeptAnswer> {
  readonly type: 'kept_wanted';
  readonly boot: string;
  /** The boot that asks. */
  readonly by: string;
}

export interface KeptAnswer {
  /** The number of the last publication for the boot that asks; 0 if there was none. */
  readonly upTo: number;
  /** Null if that is not all. */
  readonly kept: readonly PublishTerm[] | null;
}

/** The origin asks what that node has. */
export interface TakenRequest extends Call<number> {
  readonly type: 'taken_wanted';
  readonly origin: string;
}

export function isKeptAnswer(answer: unknown): answer is KeptAnswer {
  const { upTo, kept } = Object(answer) as Record<string, unknown>;
  return isNumber(upTo) && (kept === null || (Array.isArray(kept) && kept.every(isPublishTerm)));
}

export function isPublishTerm(term: unknown): term is PublishTerm {
  if (!Array.isArray(term) || term[0] !== 'publish') return false;
  const [, origin, number, after, confirm, channels] = term as unknown[];
  const areOptions = term[8] === undefined || isOptions(term[8]);
  return areOptions && typeof confirm === 'boolean' && isInStream({ origin, number, after, channels });
}

function isOptions(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return false;
  const { position } = options as Record<string, unknown>;
  return position === undefined || isPosition(position);
}

function isPosition(position: unknown): position is Position {
  return Array.isArray(position) && typeof position[0] === 'string' && isNumber(position[1]);
}

/** Whether it has the form of one. What it publishes is looked into when it is read. */
export function isWireMessage(message: unknown): message is WireMessage {
  if (Array.isArray(message)) return isPublishTerm(message);
  const fields = Object(message) as Record<string, unknown>;
  const { type, node, all, add, remove } = fields;
  switch (type) {
    case 'gap':
      return isInStream(fields);
    case 'taken': {
      const { by, origin, upTo, again } = fields;
      return typeof by === 'string' && typeof origin === 'string' && isNumber(upTo) && typeof again === 'boolean';
    }
    case 'kept_wanted':
      return typeof fields.boot === 'string' && typeof fields.by === 'string';
    case 'taken_wanted':
      return typeof fields.origin === 'string';
    case 'interest':
      return typeof node === 'string' && typeof all === 'boolean' && areStrings(add) && areStrings(remove);
    case 'interest_wanted':
    case 'interest_stale':
      return typeof node === 'string';
    default:
      return false;
  }
}

function isInStream({ origin, number, after, channels }: Record<string, unknown>): boolean {
  return typeof origin === 'string' && isNumber(number) && isNumber(after) && areStrings(channels);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function areStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
