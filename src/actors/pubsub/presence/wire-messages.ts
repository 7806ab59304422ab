/** What the nodes tell one another about who is in which channels. Other nodes may send anything: `isPresenceMessage` looks at it first. */
import type { NodeName } from '../../../kernel/types.ts';
import type { Present } from '../../contracts.ts';

/** Null: not any more. `isLeaving`: the session is about to be at another node. */
export type Change = readonly [channel: string, sid: string, present: Present | null, isLeaving: boolean];

export type PresenceMessage =
  /** Of the boot `by`, in order: the next number is that of the next changes. */
  | { readonly type: 'changes'; readonly by: string; readonly number: number; readonly changes: readonly Change[] }
  /** A part of all that are there, as of that number of changes; what changes meanwhile comes in between. */
  | {
      readonly type: 'part';
      readonly by: string;
      readonly number: number;
      /** Tells it from parts of another time. */
      readonly time: number;
      readonly begins: boolean;
      readonly ends: boolean;
      readonly changes: readonly Change[];
    }
  /** How many changes there have been. */
  | { readonly type: 'at'; readonly by: string; readonly number: number }
  /** That node wants all. */
  | { readonly type: 'wanted'; readonly node: NodeName };

export function isPresenceMessage(message: unknown): message is PresenceMessage {
  const { type, by, number, time, changes, begins, ends, node } = Object(message) as Record<string, unknown>;
  if (type === 'wanted') return typeof node === 'string';
  if (typeof by !== 'string' || !Number.isSafeInteger(number) || Number(number) < 0) return false;
  if (type === 'at') return true;
  if (!Array.isArray(changes) || !changes.every(isChange)) return false;
  if (type === 'changes') return true;
  return type === 'part' && Number.isSafeInteger(time) && typeof begins === 'boolean' && typeof ends === 'boolean';
}

function isChange(value: unknown): value is Change {
  if (!Array.isArray(value) || value.length !== 4) return false;
  const [channel, sid, present, isLeaving] = value as unknown[];
  if (typeof channel !== 'string' || typeof sid !== 'string' || typeof isLeaving !== 'boolean') return false;
  if (present === null) return true;
  const { user, info } = Object(present) as Record<string, unknown>;
  return (user === null || typeof user === 'string') && typeof info === 'object' && info !== null;
}
