/** nact alone: `node --expose-gc nact.mjs MS LIVES`. */
import { dispatch, query, spawn, start, stop } from 'nact';
import { batch, calls, crowd, flood, population, rounds, Tally, together } from './measure.mjs';

/** An actor whose state is its tally. */
const receiver = (parent, name, tally) =>
  spawn(
    parent,
    (state, message, context) => {
      if (message.to) dispatch(message.to, message.n + 1, context.self);
      else state.take(message);
      return state;
    },
    name,
    { initialState: tally },
  );

const system = start();

let made = 0;
const idlers = spawn(system, (state) => state, 'idlers');
const { spawns, bytes } = await population(
  () => spawn(idlers, (received, { n }) => received + n, `idler-${++made}`, { initialState: 0 }),
  (ref) => dispatch(ref, { type: 'letter', n: 1 }),
);
stop(idlers);

const parentTally = new Tally(batch);
const parent = receiver(system, 'parent', parentTally);

const tally = new Tally(batch);
const ref = receiver(parent, 'one', tally);
const one = await flood(tally, (message) => dispatch(ref, message));

const tallies = Array.from({ length: crowd }, (_, i) => new Tally(i === crowd - 1 ? 1 : undefined));
const refs = tallies.map((each, i) => receiver(parent, `actor-${i}`, each));
const many = await rounds(tallies, (i, message) => dispatch(refs[i], message));

const children = await flood(parentTally, (message) => dispatch(parent, message));

const ask = (n) => query(ref, (to) => ({ type: 'next', n, to }), 5000);
const asks = await calls(1, ask);
const asksTogether = await calls(together, ask);

stop(system);
console.log(JSON.stringify({ one, many, children, asks, asksTogether, spawns, bytes }));
