/** What nodes ask the routers of others, and are answered. Other nodes may send anything: `isRouterMessage` looks at it first. */
import type { AnyRef, Call } from '../../kernel/types.ts';
import { catalogue, type ErrorCode, HiveError } from '../../observe/errors.ts';
import type { ActionCall } from '../../protocol/backend/action-call.ts';
import { isAskTimeout } from '../../protocol/backend/ask-timeout.ts';
import { maxPage } from '../../web/api/api-host.ts';
import type { KeptAnswer } from '../../web/api/kept-answers.ts';
import type { ChannelRow } from '../contracts.ts';
import type { PageRequest } from '../pages.ts';

/** The name under which every node's router is registered. */
export const routerName = 'hive_router';

export type RouterMessage =
  /** What it is to run is looked into when it is read. */
  (
    | { readonly type: 'act'; readonly sid: string; readonly orders: readonly unknown[] }
    | { readonly type: 'subscribe' | 'unsubscribe'; readonly sid: string; readonly channels: readonly string[] }
    | { readonly type: 'whereis' | 'view'; readonly sid: string }
    /** An event that the client is to acknowledge; `args` is JSON text. */
    | {
        readonly type: 'ask';
        readonly sid: string;
        readonly name: string;
        readonly args: string;
        readonly timeoutMs: number;
      }
    /** The same for all clients of the node at and under a channel. */
    | {
        readonly type: 'ask_channel';
        readonly channel: string;
        readonly name: string;
        readonly args: string;
        readonly timeoutMs: number;
      }
    /** An event; `args` is JSON text. */
    | { readonly type: 'send'; readonly sid: string; readonly name: string; readonly args: string }
    | { readonly type: 'disconnect'; readonly sid: string }
    | { readonly type: 'subscribers'; readonly channel: string }
    /** Those at and under a channel, or all for ''. */
    | ({ readonly type: 'channels'; readonly channel: string } & PageRequest)
    /** Also only those of a user, unless that is ''. */
    | ({ readonly type: 'clients'; readonly channel: string; readonly user: string } & PageRequest)
    | { readonly type: 'user'; readonly user: string }
    /** Of calls with an `Idempotency-Key`. `by`: the tag of the boot that carries it out. */
    | { readonly type: 'key_begin'; readonly key: string; readonly digest: string; readonly by: string }
    | ({ readonly type: 'key_copy' | 'key_end'; readonly key: string } & KeyRow)
    | { readonly type: 'keys_kept'; readonly rows: readonly KeptRow[] }
    | { readonly type: 'enable' | 'disable' }
    | { readonly type: 'terminate' | 'stop'; readonly reason: string }
  ) &
    Call<RouterAnswer>;

/** Messages that change something about one client. */
export type ClientRequest =
  | { readonly type: 'act'; readonly sid: string; readonly orders: readonly ActionCall[] }
  | Extract<RouterMessage, { readonly type: 'subscribe' | 'unsubscribe' | 'send' | 'disconnect' }>;

export type RouterAnswer =
  | { readonly ok: true }
  | { readonly subscribers: number }
  | { readonly channels: readonly ChannelRow[] }
  | { readonly clients: readonly ClientRow[] }
  | { readonly sessions: readonly UserRow[] }
  | { readonly asked: AskedHere }
  | { readonly begun: KeyBegun }
  | { readonly key: KeyRow | null }
  | { readonly client: AnyRef }
  | { readonly view: string }
  /** JSON text of an array. */
  | { readonly answered: string }
  | { readonly error: string; readonly description: string };

/** A client of a node: its session id, when it connected (ms since 1970), whether it waits for its return, and whose it is. */
export type ClientRow = readonly [sid: string, connectedAt: number, isSuspended: boolean, user: string | null];

/** A session of a user: since when it is his (ms since 1970), and whether it is known that there is room for it. */
export type UserRow = readonly [sid: string, since: number, isSettled: boolean];

/** What clients of a node have acknowledged, as JSON text, and why others have not. */
export interface AskedHere {
  readonly answers: readonly (readonly [sid: string, args: string])[];
  readonly unanswered: readonly (readonly [sid: string, error: string])[];
}

/** What is known of an `Idempotency-Key`; no answer: it is being carried out, or had no effect. */
export interface KeyRow {
  readonly digest: string;
  readonly by: string;
  readonly answer: KeptAnswer | null;
}

export type KeptRow = readonly [key: string, row: KeyRow];

/** Whoever asked carries it out, or it has been. */
export type KeyBegun = 'yours' | KeptAnswer;

/** Whether it has the form of one. */
export function isRouterMessage(message: unknown): message is RouterMessage {
  if (typeof message !== 'object' || message === null) return false;
  const fields = message as Record<string, unknown>;
  const { type, sid, orders: actions, channels, channel, reason } = fields;
  switch (type) {
    case 'act':
      return typeof sid === 'string' && Array.isArray(actions);
    case 'subscribe':
    case 'unsubscribe':
      return typeof sid === 'string' && areStrings(channels);
    case 'whereis':
    case 'view':
    case 'disconnect':
      return typeof sid === 'string';
    case 'ask':
      return areStrings([sid, fields.name, fields.args]) && isAskTimeout(fields.timeoutMs);
    case 'ask_channel':
      return areStrings([channel, fields.name, fields.args]) && isAskTimeout(fields.timeoutMs);
    case 'send':
      return areStrings([sid, fields.name, fields.args]);
    case 'user':
      return typeof fields.user === 'string';
    case 'key_begin':
      return areStrings([fields.key, fields.digest, fields.by]);
    case 'key_copy':
    case 'key_end':
      return typeof fields.key === 'string' && isKeyRow(fields);
    case 'keys_kept':
      return Array.isArray(fields.rows) && fields.rows.every((row) => typeof row?.[0] === 'string' && isKeyRow(row[1]));
    case 'subscribers':
      return typeof channel === 'string';
    case 'channels':
      return typeof channel === 'string' && isPageRequest(fields);
    case 'clients':
      return areStrings([channel, fields.user]) && isPageRequest(fields);
    case 'terminate':
    case 'stop':
      return typeof reason === 'string';
    default:
      return type === 'enable' || type === 'disable';
  }
}

function areStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}

function isKeyRow(value: unknown): value is KeyRow {
  const { digest, by, answer } = Object(value) as Record<string, unknown>;
  return areStrings([digest, by]) && (answer === null || isAnswer(answer));
}

function isAnswer(value: unknown): value is KeptAnswer {
  const { status, text, isJson } = Object(value) as Record<string, unknown>;
  return Number.isInteger(status) && (text === null || typeof text === 'string') && typeof isJson === 'boolean';
}

function isPageRequest({ after, limit }: Record<string, unknown>): boolean {
  return typeof after === 'string' && Number.isSafeInteger(limit) && Number(limit) >= 1 && Number(limit) <= maxPage + 1;
}

/** @throws HiveError what the other node's router failed with */
export function expectOk(answer: RouterAnswer): void {
  if (!('error' in answer)) return;
  const { error, description } = answer;
  if (Object.hasOwn(catalogue, error)) throw new HiveError(error as ErrorCode, description);
  throw new HiveError('cluster_error', `${error}: ${description}`);
}
