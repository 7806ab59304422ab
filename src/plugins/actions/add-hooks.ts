/**
 * `action.add_hooks`: appends hooks for this client: `{event: [{"hook": name, "args": …}, …], …}`. All of them, or none if
 * one is wrong.
 */
import { Type } from 'typebox';
import { formatProblem, problemAt } from '../../config/problem.ts';
import { hookDescriptorSchema } from '../../config/schema/clients.ts';
import { mapOf } from '../../config/schema/fields.ts';
import { validate } from '../../config/validate.ts';
import { HiveError } from '../../observe/errors.ts';
import { noArgs } from '../args.ts';
import type { Action, ActionPlugin, HookDescriptor } from '../types.ts';

const schema = mapOf(Type.Array(hookDescriptorSchema), 'Event name → hooks.');

const add: Action = {
  perform(client, { args }) {
    client.addHooks(hookDescriptors(args));
  },
};

function hookDescriptors(value: unknown): Record<string, HookDescriptor[]> {
  const [violation] = validate(schema, value);
  if (!violation) return value as Record<string, HookDescriptor[]>;
  const problem = problemAt({ path: 'hooks', root: value }, 'bad_hook_descriptor', violation);
  throw new HiveError(problem.code, formatProblem(problem));
}

export const actionAddHooks: ActionPlugin = {
  args: noArgs,
  create: () => add,
};
