/** The query parameters of the monitor. */
import type { BusiestOptions } from '../../kernel/busiest.ts';
import { HiveError } from '../../observe/errors.ts';
import type { TreeOptions } from '../../supervisors/tree.ts';
import type { HttpRequest } from '../http/http.ts';

const code = 'bad_monitor_request';

/** @throws HiveError `bad_monitor_request` */
export function treeOptions(req: HttpRequest): TreeOptions {
  const sort = req.getQuery('sort');
  if (sort && sort !== 'mailbox') throw new HiveError(code, 'sort can only be mailbox.');
  return {
    depth: numberIn(req, 'depth'),
    limit: numberIn(req, 'limit'),
    path: req.getQuery('path') || undefined,
    sort: sort ? 'mailbox' : undefined,
    flat: flagIn(req, 'flat') || undefined,
  };
}

/** Whether histograms are to have their buckets. @throws HiveError `bad_monitor_request` */
export function wantsBuckets(req: HttpRequest): boolean {
  return flagIn(req, 'buckets');
}

/** Which of the busiest actors are shown: `limit` in number, after so many ms (`over`) of looking. */
const limits = {
  limit: { default: 20, min: 1, max: 1000 },
  // Less tells nothing; more, and other nodes' answers would be late.
  over: { default: 1000, min: 50, max: 3000 },
};

/** @throws HiveError `bad_monitor_request` */
export function busiestOptions(req: HttpRequest): BusiestOptions {
  const sort = req.getQuery('sort') || 'rate';
  if (sort !== 'rate' && sort !== 'mailbox') throw new HiveError(code, 'sort can only be rate or mailbox.');
  return { sort, limit: within(req, 'limit'), overMs: within(req, 'over') };
}

function within(req: HttpRequest, name: keyof typeof limits): number {
  const { default: usual, min, max } = limits[name];
  const number = numberIn(req, name) ?? usual;
  if (number < min || number > max) throw new HiveError(code, `${name} must be from ${min} to ${max}.`);
  return number;
}

/** A query parameter that must be true or false. */
function flagIn(req: HttpRequest, name: string): boolean {
  const value = req.getQuery(name);
  if (!value || value === 'false') return false;
  if (value === 'true') return true;
  throw new HiveError(code, `${name} must be true or false, not ${value}.`);
}

/** A query parameter that must be a number. */
function numberIn(req: HttpRequest, name: string): number | undefined {
  const text = req.getQuery(name);
  if (!text) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new HiveError(code, `${name} must be a number, not ${text}.`);
  return Number(text);
}
