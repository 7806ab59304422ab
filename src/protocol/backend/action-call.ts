/**
 * Actions from back ends: `{"action": name, "args": anything, "trigger_id": "5+"}`, or an array of them, in answers to
 * hooks, API calls and publishes.
 */
import { HiveError } from '../../observe/errors.ts';
import { asInJson, isPlain, parseBackEndJson } from '../json.ts';

export interface ActionCall {
  readonly action: string;
  readonly args: unknown;
  /** `""`, `"5"` or `"5+"`: the client's packet that this answers. */
  readonly trigger_id: string;
}

/**
 * The actions in a text. An empty text and `[]` mean that there are none.
 * @throws HiveError `invalid_json`, or `bad_internal_event` that quotes the first item that is not an action
 */
export function parseActionCalls(text: string): ActionCall[] {
  if (text.trim() === '') return [];
  return toActionCalls(parseBackEndJson(text, 'The actions are'));
}

/** The same for a value that is decoded already. */
export function toActionCalls(value: unknown): ActionCall[] {
  return (Array.isArray(value) ? value : [value]).map(toActionCall);
}

/** The same for another node. */
export function actionsToWire(actions: readonly ActionCall[]): readonly ActionCall[] {
  return asInJson(actions) as readonly ActionCall[];
}

/** The same for what another node sends: its arguments must be what a client can be sent. */
export function actionsFromWire(value: unknown): ActionCall[] {
  const actions = toActionCalls(value);
  for (const { action, args } of actions) {
    if (!isPlain(args))
      throw new HiveError('bad_internal_event', `The "args" of ${excerpt(action)} are no JSON value.`);
  }
  return actions;
}

function toActionCall(value: unknown): ActionCall {
  const refuse = (reason: string) =>
    new HiveError('bad_internal_event', `${reason}: ${excerpt(value)}`, { summary: reason });
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw refuse('Not an object with an action');
  const { action, args, trigger_id = '' } = value as Record<string, unknown>;
  if (typeof action !== 'string') throw refuse('"action" must be a string');
  if (args === undefined) throw refuse('"args" is missing');
  if (typeof trigger_id !== 'string') throw refuse('"trigger_id" must be a string');
  return { action, args, trigger_id };
}

/** A value as JSON text, short enough for an error message. */
function excerpt(value: unknown): string {
  const text = JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? `${item}` : item)) ?? 'nothing';
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
