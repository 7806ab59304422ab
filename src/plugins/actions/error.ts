/** `action.error`: ends the list with `internal_error`; the args are the description. The client stays connected. */
import { HiveError } from '../../observe/errors.ts';
import { noArgs } from '../args.ts';
import type { Action, ActionPlugin } from '../types.ts';
import { textOf } from './args.ts';

const fail: Action = {
  run(_client, { args }) {
    throw new HiveError('internal_error', textOf(args), { summary: 'A back end reports an error.' });
  },
};

export const actionError: ActionPlugin = { args: noArgs, create: () => fail };
