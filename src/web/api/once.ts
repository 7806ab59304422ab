/**
 * Calls with an `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): each is carried out once in the cluster, and whoever makes it
 * again gets the first answer.
 */
import { createHash } from 'node:crypto';
import { HiveError } from '../../observe/errors.ts';
import { publishAnswer } from './calls.ts';
import type { KeptAnswer } from './kept-answers.ts';
import type { Answer } from './operation.ts';

const maxKeyLength = 200;
const visible = /^[\x21-\x7e]+$/;

/** @throws HiveError `bad_api_request` */
export function checkedKey(key: string): string {
  if (key.length <= maxKeyLength && visible.test(key)) return key;
  const rule = `An Idempotency-Key has 1 to ${maxKeyLength} visible ASCII characters`;
  throw new HiveError('bad_api_request', `${rule}; this one has ${key.length} characters.`);
}

/** Tells calls apart. */
export function digestOf(place: string, body: string): string {
  return createHash('sha256').update(`${place}\n`).update(body).digest('base64url');
}

/** What is kept of an answer, when all of it is known. */
export async function kept(answer: Answer): Promise<KeptAnswer> {
  const { unconfirmed } = answer;
  if (!unconfirmed) return textOf(answer);
  const nodes = await new Promise<readonly string[]>((resolve) => unconfirmed.whenKnown(resolve));
  return textOf(publishAnswer(nodes));
}

function textOf({ status, body }: Answer): KeptAnswer {
  if (body === undefined) return { status, text: null, isJson: false };
  if (typeof body === 'string') return { status, text: body, isJson: false };
  return { status, text: JSON.stringify(body), isJson: true };
}
