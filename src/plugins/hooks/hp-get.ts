/** `hp.get`: asks the back end, without metadata, and runs the actions in its answer. */
import type { BackEndReply, BackEndRequest } from '../connectors/back-end.ts';
import { HookCounter } from '../hook-counter.ts';
import type { HookPlugin } from '../types.ts';
import { type BackEndArgs, backEndArgs, checkBackEnd, runAnswer } from './hp.ts';

export const hpGet: HookPlugin<BackEndArgs> = {
  args: backEndArgs,
  check: checkBackEnd,
  create({ connector, endpoint }, { pools, metrics }) {
    const runs = new HookCounter(metrics, 'hp.get');
    const request: BackEndRequest = { method: 'GET', endpoint };
    return async (client, { name }) => {
      runs.count(name);
      const reply = await pools.get<BackEndRequest, BackEndReply>(connector).request(request, client.signal);
      await runAnswer(client, reply, endpoint);
    };
  },
};
