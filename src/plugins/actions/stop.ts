/** `action.stop`: disconnects the client. In `on_connect` it refuses the connection, and the args are the reason the client sees. */
import { HiveError } from '../../observe/errors.ts';
import { noArgs } from '../args.ts';
import { type Action, type ActionPlugin, StopClient } from '../types.ts';
import { textOf } from './args.ts';

const stop: Action = {
  run(_client, { args }) {
    throw new StopClient(new HiveError('stopped', textOf(args), { summary: 'A back end stops the session.' }));
  },
};

export const actionStop: ActionPlugin = { args: noArgs, create: () => stop };
