/**
 * Several API calls in one request: `POST /api/<key>/batch` with an array of `{"method", "path", "body"}`. They are carried
 * out one after the other, in order, and each has its own result `{"status", "body"}`; one that fails stops none. Publishes do not wait
 * for one another's confirmation: the batch is answered when all are confirmed.
 */
import { HiveError } from '../../observe/errors.ts';
import { segmentsOf } from '../http/api-key.ts';
import type { Unconfirmed } from './api-host.ts';
import { CallBody } from './call-body.ts';
import { type Call, publishAnswer } from './calls.ts';
import type { Answer } from './operation.ts';

/** Enough to save the round trips, few enough to answer before anybody's patience ends. */
export const maxBatch = 1000;

const code = 'bad_api_request';

/** Carries out one call; failures are answers. */
export type Perform = (call: Call) => Promise<Answer>;

/** @throws HiveError (rejection) `invalid_json`, or `bad_api_request` for what is no array of at most `maxBatch` calls */
export async function performBatch(body: CallBody, perform: Perform): Promise<Answer> {
  const calls = body.json();
  if (!Array.isArray(calls)) throw new HiveError(code, 'A batch is an array of calls.');
  if (calls.length > maxBatch) {
    throw new HiveError(code, `A batch has at most ${maxBatch} calls; this one has ${calls.length}.`);
  }
  const results: Result[] = [];
  const afterwards: (() => void)[] = [];
  const confirming: Promise<void>[] = [];
  for (const call of calls) {
    const answer = await performOne(call, perform);
    const result = { status: answer.status, body: answer.body ?? null };
    results.push(result);
    if (answer.afterwards) afterwards.push(answer.afterwards);
    if (answer.unconfirmed) confirming.push(confirmed(answer.unconfirmed, result));
  }
  await Promise.all(confirming);
  const carryOut = (): void => {
    for (const one of afterwards) one();
  };
  return { status: 200, body: results, afterwards: carryOut };
}

interface Result {
  readonly status: number;
  body: unknown;
}

async function confirmed(unconfirmed: Unconfirmed, result: Result): Promise<void> {
  const nodes = await new Promise<readonly string[]>((resolve) => unconfirmed.whenKnown(resolve));
  result.body = publishAnswer(nodes).body ?? null;
}

async function performOne(value: unknown, perform: Perform): Promise<Answer> {
  try {
    return await perform(toCall(value));
  } catch (error) {
    if (!(error instanceof HiveError)) throw error;
    return { status: error.status, body: error };
  }
}

/** @throws HiveError `bad_api_request` */
function toCall(value: unknown): Call {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new HiveError(code, 'A call in a batch is an object with method, path and body.');
  }
  const { method, path, body, ...unknown } = value as Record<string, unknown>;
  const [stranger] = Object.keys(unknown);
  if (stranger !== undefined) throw new HiveError(code, `A call in a batch has no ${stranger}.`);
  if (typeof method !== 'string') throw new HiveError(code, 'The method of a call in a batch is a string.');
  if (typeof path !== 'string') throw new HiveError(code, 'The path of a call in a batch is a string.');
  const [place = '', query = ''] = path.split('?', 2);
  const segments = segmentsOf(place.startsWith('/') ? place : `/${place}`, code);
  return { method: method.toUpperCase(), segments, query, body: CallBody.ofValue(body) };
}
