/**
 * What the Hive Protocol hooks have in common: they send the client's metadata to a back end, and obey its answer.
 *
 * An answer is any 2xx status with orders as its body. An empty body or `[]` means that nothing is to be done.
 */
import { type Static, Type } from 'typebox';
import type { Config } from '../../config/types.ts';
import { HiveError } from '../../observe/errors.ts';
import { parseInternalEvents } from '../../protocol/internal-event.ts';
import { checkPool } from '../args.ts';
import type { Client } from '../types.ts';

export const backEndArgs = Type.Object(
  {
    connector: Type.String({ minLength: 1, description: 'Pool that leads to the back end.' }),
    endpoint: Type.String({ description: 'Path of the request, behind the base URL of the pool.' }),
  },
  { additionalProperties: false },
);

export type BackEndArgs = Static<typeof backEndArgs>;

/** What the workers of a pool that leads to a back end are asked. */
export interface BackEndRequest {
  readonly method: 'GET' | 'POST';
  readonly endpoint: string;
  readonly body?: string;
}

export interface BackEndReply {
  /** HTTP status code. */
  readonly status: number;
  readonly body: string;
}

const backEndConnectors = ['connector.http', 'connector.tcp'];

export function checkBackEnd(args: BackEndArgs, config: Config) {
  return checkPool(args, config, backEndConnectors);
}

export function isSuccess({ status }: BackEndReply): boolean {
  return status >= 200 && status <= 299;
}

/** @throws HiveError `http_error` for any status but 2xx; `invalid_json` or `bad_internal_event` for other bodies */
export function obey(client: Client, reply: BackEndReply, endpoint: string): void | Promise<void> {
  if (!isSuccess(reply)) throw new HiveError('http_error', `The back end answered ${endpoint} with ${reply.status}.`);
  return client.perform(parseInternalEvents(reply.body));
}
