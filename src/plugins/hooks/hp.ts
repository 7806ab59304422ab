/**
 * What the Hive Protocol hooks share: they send the client's metadata to a back end and run the actions in its answer.
 *
 * An answer is any 2xx status with actions as its body. An empty body or `[]` means that there is nothing to do.
 */
import { type Static, Type } from 'typebox';
import type { Config } from '../../config/types.ts';
import { HiveError } from '../../observe/errors.ts';
import { type ActionCall, parseActionCalls } from '../../protocol/backend/action-call.ts';
import { checkPool } from '../args.ts';
import type { BackEndReply } from '../connectors/back-end.ts';
import type { Client, Refusal } from '../types.ts';

export const backEndArgs = Type.Object(
  {
    connector: Type.String({ minLength: 1, description: 'Pool that leads to the back end.' }),
    endpoint: Type.String({
      description: 'HTTP: what follows the base URL of the pool. TCP: the endpoint of the frames.',
    }),
  },
  { additionalProperties: false },
);

export type BackEndArgs = Static<typeof backEndArgs>;

const backEndConnectors = ['connector.http', 'connector.tcp'];

export function checkBackEnd(args: BackEndArgs, config: Config): Refusal | undefined {
  const refusal = checkPool(args, config, backEndConnectors);
  if (refusal) return refusal;
  if (config.connectors.pools[args.connector]?.connector !== 'connector.tcp') return undefined;
  if (!args.endpoint.includes(':')) return undefined;
  return { code: 'bad_config', path: 'endpoint', reason: 'must not contain a colon: over TCP that ends it' };
}

/** A failure after the back end has answered: asking it again is of no use. */
export class Answered extends HiveError {}

/** The back end works but refuses what the client has sent: a 4xx answer. */
export class Refused extends Answered {}

/** The back end has answered what are no actions, whatever the client has sent. */
export class BadAnswer extends Answered {}

export function isSuccess({ status }: BackEndReply): boolean {
  return status >= 200 && status <= 299;
}

/** @throws HiveError `http_error` for any status but 2xx; `invalid_json` or `bad_internal_event` (BadAnswer) for other bodies */
export function runAnswer(client: Client, reply: BackEndReply, endpoint: string): void | Promise<void> {
  if (isSuccess(reply)) return client.runActions(actionsIn(reply.body));
  throw failureOf(reply, endpoint);
}

/** The failure that an answer without a 2xx status is. */
export function failureOf({ status }: BackEndReply, endpoint: string): HiveError {
  const Failure = status >= 500 ? HiveError : status >= 400 ? Refused : Answered;
  return new Failure('http_error', `The back end answered ${endpoint} with ${status}.`);
}

function actionsIn(body: string): ActionCall[] {
  try {
    return parseActionCalls(body);
  } catch (error) {
    if (!(error instanceof HiveError)) throw error;
    const { code, message, summary } = error;
    throw new BadAnswer(code, message, { summary, cause: error });
  }
}
