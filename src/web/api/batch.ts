/**
 * Several API calls in one request: `POST /api/<key>/batch` with an array of `{"method", "path", "body"}`. They are carried
 * out one after the other, in order, and each has its own result `{"status", "body"}`; one that fails stops none.
 */
import { HiveError } from '../../observe/errors.ts';
import { segmentsOf, wantsCluster } from '../http/api-key.ts';
import { type Answer, type Call, CallBody } from './calls.ts';

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
  const results: { status: number; body: unknown }[] = [];
  const afterwards: (() => void)[] = [];
  for (const call of calls) {
    const answer = await performOne(call, perform);
    results.push({ status: answer.status, body: answer.body ?? null });
    if (answer.afterwards) afterwards.push(answer.afterwards);
  }
  const carryOut = (): void => {
    for (const one of afterwards) one();
  };
  return { status: 200, body: results, afterwards: carryOut };
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
  const cluster = wantsCluster(new URLSearchParams(query).get('cluster') ?? undefined, code);
  return { method: method.toLowerCase(), segments, cluster, body: CallBody.ofValue(body) };
}
