/** The busiest actors, as the monitor tells them. */
import type { Operator } from '../operator/operator.ts';
import { isNumber, isText, listOf, recordOf, withMembers } from '../operator/shapes.ts';
import type { Scope } from './sample.ts';

export type Order = 'rate' | 'mailbox';

export interface Busy {
  readonly pid: string;
  readonly path: string;
  readonly status: string;
  readonly rate: number;
  readonly mailbox: { readonly length: number; readonly peak: number };
}

export interface Looking {
  readonly scope: Scope;
  readonly order: Order;
  readonly limit: number;
  /** How long the monitor looks. */
  readonly overMs: number;
}

const areBusy = listOf(
  withMembers<Busy>({
    pid: isText,
    path: isText,
    status: isText,
    rate: isNumber,
    mailbox: withMembers<Busy['mailbox']>({ length: isNumber, peak: isNumber }),
  }),
);
const ofOne = withMembers<{ actors: readonly Busy[] }>({ actors: areBusy });
const ofAll = withMembers<{ actors: Readonly<Record<string, readonly Busy[]>> }>({ actors: recordOf(areBusy) });

/** @throws Failure (rejection) */
export async function busyActors(operator: Operator, looking: Looking, signal: AbortSignal): Promise<readonly Busy[]> {
  const { scope, order, limit, overMs } = looking;
  const query = `sort=${order}&limit=${limit}&over=${overMs}`;
  if (scope === 'asked') return (await operator.json(`actors?${query}`, ofOne, { signal })).actors;
  const { actors } = await operator.json(`actors?${query}&cluster=true`, ofAll, { signal });
  if (scope !== 'cluster') return actors[scope.node] ?? [];
  const value = ({ rate, mailbox }: Busy): [number, number] =>
    order === 'rate' ? [rate, mailbox.length] : [mailbox.length, rate];
  return Object.values(actors)
    .flat()
    .sort((a, b) => value(b)[0] - value(a)[0] || value(b)[1] - value(a)[1])
    .slice(0, limit);
}
