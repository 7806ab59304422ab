/**
 * `action.add_hooks`: appends hooks for this client: `{event: [{"hook": name, "args": …}, …], …}`. All of them, or none if
 * one is wrong.
 */
import { Type } from 'typebox';
import { problemAt, problemError } from '../../config/problem.ts';
import { hookDescriptorSchema } from '../../config/schema/clients.ts';
import { mapOf } from '../../config/schema/fields.ts';
import { validate } from '../../config/validate.ts';
import { noArgs } from '../args.ts';
import type { Action, ActionPlugin, HookDescriptor } from '../types.ts';

const schema = mapOf(Type.Array(hookDescriptorSchema), 'Event name → hooks.');

const add: Action = {
  run(client, { args }) {
    client.addHooks(hookDescriptors(args));
  },
};

function hookDescriptors(value: unknown): Record<string, HookDescriptor[]> {
  const [violation] = validate(schema, value);
  if (!violation) return value as Record<string, HookDescriptor[]>;
  throw problemError(problemAt({ path: 'hooks', root: value }, 'bad_hook_descriptor', violation), 'schema');
}

export const actionAddHooks: ActionPlugin = {
  args: noArgs,
  create: () => add,
};
