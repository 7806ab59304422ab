// @ts-check
/**
 * A plugin with a hook and an action: how often a client may send an event.
 *
 * `limit.rate` stands before the other hooks of an event. Each client has a bucket that holds `burst` tokens and gets `per_second`
 * new ones; an event takes one. When there is none left, the client is told to slow down, and the hooks behind this one do not
 * run. `action.grant_rate` gives one client another rate, as long as it is connected.
 */
import { definePlugin, eventPacket, HiveError, Type } from 'hive-push';

/**
 * @typedef {{ readonly per_second: number, readonly burst: number }} Rate
 * @typedef {{ tokens: number, filledAt: number }} Bucket
 * @typedef {import('hive-push').Client} Client
 */

/**
 * What the action granted. Weak: the entry goes with the client.
 * @type {WeakMap<Client, Rate>}
 */
const granted = new WeakMap();

const rate = Type.Object(
  {
    per_second: Type.Number({ exclusiveMinimum: 0, description: 'Events per second in the long run.' }),
    burst: Type.Integer({ minimum: 1, default: 10, description: 'Events at once.' }),
  },
  { additionalProperties: false },
);

export default definePlugin({
  hooks: {
    'limit.rate': {
      args: rate,
      check({ per_second, burst }) {
        if (per_second <= burst) return undefined;
        return { code: 'bad_config', path: 'burst', reason: `is below per_second (${per_second})` };
      },
      create(configured, { metrics }) {
        const refused = metrics.counter('plugins.limit.rate.refused');
        /** @type {WeakMap<Client, Bucket>} */
        const buckets = new WeakMap();
        return (client) => {
          const waitMs = take(client, buckets, granted.get(client) ?? configured);
          if (waitMs === 0) return;
          refused.value += 1;
          client.send(eventPacket('slow_down', [{ wait_ms: waitMs }]));
          throw new HiveError('client_error', 'The client sends too many events.');
        };
      },
    },
  },
  actions: {
    'action.grant_rate': {
      args: Type.Null(),
      create: () => ({
        run(client, { args }) {
          granted.set(client, rateOf(args));
        },
      }),
    },
  },
});

/**
 * Takes a token out of the client's bucket; returns 0, or how long it takes until there is one, ms.
 * @param {Client} client
 * @param {WeakMap<Client, Bucket>} buckets
 * @param {Rate} rate
 */
function take(client, buckets, { per_second, burst }) {
  const now = performance.now();
  const bucket = buckets.get(client) ?? { tokens: burst, filledAt: now };
  buckets.set(client, bucket);
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.filledAt) / 1000) * per_second);
  bucket.filledAt = now;
  if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) / per_second) * 1000);
  bucket.tokens -= 1;
  return 0;
}

/**
 * What a back end calls for arrives unchecked: an action checks it.
 * @param {unknown} args
 * @returns {Rate}
 */
function rateOf(args) {
  const { per_second, burst } = /** @type {Partial<Rate>} */ (args ?? {});
  if (typeof per_second === 'number' && per_second > 0 && typeof burst === 'number' && burst >= 1) {
    return { per_second, burst };
  }
  throw new HiveError('bad_internal_event', 'A rate is {"per_second": number, "burst": number}.');
}
