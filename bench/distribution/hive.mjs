/** One of two Hive nodes: `hive.mjs receiver`, `hive.mjs sender PORT MESSAGES ROUND_TRIPS`. */
import { setImmediate as turn } from 'node:timers/promises';
import { startDistribution } from '../../dist/distribution/distribution.js';
import { Actor } from '../../dist/kernel/actor.js';
import { Kernel } from '../../dist/kernel/kernel.js';
import { silent } from '../../dist/observe/logger.js';
import { Metrics } from '../../dist/observe/metrics.js';
import { batch, highWater, measure, message } from './message.mjs';

const [role, port, messages, roundTrips] = process.argv.slice(2);
const metrics = new Metrics();
const kernel = new Kernel({ node: `${role}@127.0.0.1`, log: silent, metrics });
const distribution = await startDistribution({
  kernel,
  cookie: 'bench',
  portMin: 0,
  portMax: 0,
  epmdPort: 0,
  netTicktimeMs: 60_000,
  maxQueueBytes: 64 * 1024 * 1024,
  maxFrameBytes: 128 * 1024 * 1024,
  maxDepth: 512,
  maxElements: 4_194_304,
  maxAtoms: 4096,
  log: silent,
  metrics,
});

class Sink extends Actor {
  #count = 0;

  /** A mailbox that refuses nothing: a flood is the point here. */
  get mailboxLimit() {
    return Number.POSITIVE_INFINITY;
  }

  admits() {
    return true;
  }

  receive(received, from) {
    if (from) from.reply(this.#count);
    else if (received.type === 'publish') this.#count += 1;
  }
}

if (role === 'receiver') {
  await kernel.spawn(new Sink(), { name: 'sink' });
  console.log(JSON.stringify({ at: distribution.port }));
} else {
  await distribution.connect('receiver@127.0.0.1', Number(port));
  const sink = kernel.remote('receiver@127.0.0.1', 'sink');
  const ask = () => kernel.ask(sink, { type: 'count' }, 60_000);
  const sendAll = async (total) => {
    const before = await ask();
    for (let n = 1; n <= total; n += 1) {
      sink.tell(message(n));
      if (n % batch === 0) {
        do await turn();
        while (distribution.peers.queued() > highWater);
      }
    }
    const arrived = (await ask()) - before;
    if (arrived !== total) throw new Error(`${arrived} of ${total} messages arrived`);
  };
  await measure(sendAll, ask, Number(messages), Number(roundTrips));
}
