/** `hp.post`: sends the client's metadata to the back end and runs the actions in its answer. */
import type { BackEndReply, BackEndRequest } from '../connectors/back-end.ts';
import { HookCounter } from '../hook-counter.ts';
import type { HookPlugin } from '../types.ts';
import { type BackEndArgs, backEndArgs, checkBackEnd, runAnswer } from './hp.ts';

export const hpPost: HookPlugin<BackEndArgs> = {
  args: backEndArgs,
  check: checkBackEnd,
  create({ connector, endpoint }, { pools, metrics }) {
    const runs = new HookCounter(metrics, 'hp.post');
    return (client, trigger) => {
      runs.count(trigger.name);
      const { idempotencyKey } = client;
      const post = async (body: string): Promise<void> => {
        const request: BackEndRequest = { method: 'POST', endpoint, body, idempotencyKey };
        return runAnswer(
          client,
          await pools.get<BackEndRequest, BackEndReply>(connector).request(request, client.signal),
          endpoint,
        );
      };
      const metadata = client.metadata(trigger);
      return typeof metadata === 'string' ? post(metadata) : metadata.then(post);
    };
  },
};
