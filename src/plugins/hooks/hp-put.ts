/**
 * `hp.put`: sends the client's metadata to the back end without waiting, and ignores the answer. It is a
 * POST nevertheless, as it was in 2014.
 *
 * The puts of one client are sent one after the other, whichever hooks made them, so a back end sees them in order. Only those
 * of `on_disconnect` are waited for: a stopping node stops its pools when its last client has ended, and they are repeated until the
 * back end answers.
 */
import { type HiveError, toHiveError } from '../../observe/errors.ts';
import type { BackEndReply, BackEndRequest } from '../connectors/back-end.ts';
import { HookCounter } from '../hook-counter.ts';
import type { Client, HookPlugin, Services, Trigger } from '../types.ts';
import { Answered, type BackEndArgs, backEndArgs, checkBackEnd, failureOf, isSuccess } from './hp.ts';

/** Puts of one client that may be pending; with more, the client waits, so that a slow back end does not fill the memory. */
const maxUnderWay = 32;

/** The puts of one client: each starts when the one before has ended. */
interface Line {
  last: Promise<void>;
  length: number;
}

const lines = new WeakMap<Client, Line>();

export const hpPut: HookPlugin<BackEndArgs> = {
  args: backEndArgs,
  check: checkBackEnd,
  create(args, services) {
    const runs = new HookCounter(services.metrics, 'hp.put');
    return (client, trigger) => {
      runs.count(trigger.name);
      const metadata = client.metadata(trigger);
      if (typeof metadata !== 'string') return metadata.then((body) => enqueue(client, trigger, args, body, services));
      return enqueue(client, trigger, args, metadata, services);
    };
  },
};

function enqueue(
  client: Client,
  trigger: Trigger,
  args: BackEndArgs,
  body: string,
  services: Services,
): void | Promise<void> {
  const { endpoint } = args;
  const { idempotencyKey } = client;
  const request: BackEndRequest = { method: 'POST', endpoint, body, idempotencyKey, async: true };
  const line = lines.get(client) ?? { last: Promise.resolve(), length: 0 };
  lines.set(client, line);
  line.length += 1;
  line.last = line.last
    .then(() => put(client, trigger, request, args, services))
    .finally(() => {
      line.length -= 1;
      if (line.length === 0) lines.delete(client);
    });
  if (line.length > maxUnderWay || trigger.name === 'on_disconnect') return line.last;
}

/** Rejects only if it is to be repeated: other failures are reported to the client when they happen. */
async function put(
  client: Client,
  { departure }: Trigger,
  request: BackEndRequest,
  { connector, endpoint }: BackEndArgs,
  { pools, log }: Services,
): Promise<void> {
  let failure: HiveError;
  try {
    const reply = await pools.get<BackEndRequest, BackEndReply>(connector).request(request);
    if (isSuccess(reply)) return;
    failure = failureOf(reply, endpoint);
    if (
      (!departure || failure instanceof Answered) &&
      !log.excess('A back end refused a put', `${connector} ${endpoint}`)
    ) {
      log.warning('A back end refused a put', { connector, endpoint, status: reply.status });
    }
    if (!departure || failure instanceof Answered) return;
  } catch (error) {
    failure = toHiveError(error);
  }
  if (!departure) client.report(failure);
  else if (departure.isLast) departure.lost(failure);
  else throw failure;
}
