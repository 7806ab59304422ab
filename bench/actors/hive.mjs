/** Hive's kernel, as the server uses it: `node --expose-gc hive.mjs MS LIVES`. */
import { Actor } from '../../dist/kernel/actor.js';
import { Kernel } from '../../dist/kernel/kernel.js';
import { silent } from '../../dist/observe/logger.js';
import { batch, calls, crowd, flood, population, rounds, Tally, together } from './measure.mjs';

class Receiver extends Actor {
  tally;
  constructor(every) {
    super();
    this.tally = new Tally(every);
  }
  receive(message, from) {
    if (from) from.reply(message.n + 1);
    else this.tally.take(message);
  }
}

/** An actor that does what it is told: `run` resolves with what `work` gives. */
class Worker extends Actor {
  receive({ work, done }) {
    return work(this).then(done);
  }
}

/** Its state is a number, as small as a state can be. */
class Idler extends Actor {
  #received = 0;
  receive({ n }) {
    this.#received += n;
  }
}

const kernel = new Kernel({ node: 'bench@127.0.0.1', log: silent });
const parent = await kernel.spawn(new Receiver(batch));
const child = (actor) => kernel.spawn(actor, { label: 'actor', parent });

const idlers = { parent: await kernel.spawn(new Receiver()) };
const { spawns, bytes } = await population(
  () => kernel.spawn(new Idler(), { label: 'idler', parent: idlers.parent }),
  (ref) => ref.tell({ type: 'letter', n: 1 }),
);
const ended = kernel.stop(idlers.parent);
await ended;

const receiver = new Receiver(batch);
const ref = await child(receiver);
const one = await flood(receiver.tally, (message) => ref.tell(message));

const crowded = Array.from({ length: crowd }, (_, i) => new Receiver(i === crowd - 1 ? 1 : undefined));
const refs = [];
for (const actor of crowded) refs.push(await child(actor));
const many = await rounds(
  crowded.map(({ tally }) => tally),
  (i, message) => refs[i].tell(message),
);

const { tally } = kernel.local(parent.id, parent.serial, kernel.creation).actor;
const children = await flood(tally, (message) => parent.tell(message));

const worker = await kernel.spawn(new Worker());
const asking = (atOnce) =>
  new Promise((done) => {
    worker.tell({ type: 'run', done, work: (self) => calls(atOnce, (n) => self.ask(ref, { type: 'next', n })) });
  });
const asks = await asking(1);
const asksTogether = await asking(together);

kernel.halt();
console.log(JSON.stringify({ one, many, children, asks, asksTogether, spawns, bytes }));
