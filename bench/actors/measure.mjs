/** What the contestants in JavaScript share: how long they work, what they send, and how each result is reckoned. */

/** Messages after which a receiver confirms, so that no mailbox grows without end. */
export const batch = 1000;
/** How many actors share the messages, and how many children the parent has. */
export const crowd = 10_000;
/** Calls that are under way together. */
export const together = 100;

const [ms, lives] = process.argv.slice(2).map(Number);

/** How many actors are made to be weighed. */
export { lives };

/**
 * Does `step`, which returns how much it has done, for the time given, after a quarter of it for warming up; gives how much that is per
 * second of processor time, garbage collection included: what else the machine has to do counts less than by the clock.
 */
export async function perSecond(step) {
  const done = async (limit) => {
    const start = performance.now();
    const used = process.cpuUsage();
    let total = 0;
    while (performance.now() - start < limit) total += await step();
    return total / cpuSeconds(used);
  };
  await done(ms / 4);
  return done(ms);
}

function cpuSeconds(since) {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
}

/** The messages of one receiver: numbered, and checked to arrive once each, in order. */
export class Tally {
  received = 0;
  #every;
  #confirm;

  /** @param every messages after which whoever waits for `confirmed` goes on */
  constructor(every = Number.POSITIVE_INFINITY) {
    this.#every = every;
  }

  confirmed() {
    return new Promise((resolve) => {
      this.#confirm = resolve;
    });
  }

  take({ n }) {
    if (n !== this.received + 1) fail(`letter ${n} came after letter ${this.received}`);
    this.received = n;
    if (n % this.#every === 0) this.#confirm();
  }
}

/** A flood into one receiver: `tell` sends it a message. */
export async function flood(tally, tell) {
  let sent = 0;
  const rate = await perSecond(async () => {
    const confirmed = tally.confirmed();
    for (let i = 0; i < batch; i += 1) tell({ type: 'letter', n: ++sent });
    await confirmed;
    return batch;
  });
  check(tally.received, sent);
  return rate;
}

/** One message for each of many in turn; the next round begins when the last has got its own. */
export async function rounds(tallies, tell) {
  const last = tallies.at(-1);
  let round = 0;
  const rate = await perSecond(async () => {
    const confirmed = last.confirmed();
    round += 1;
    for (let i = 0; i < tallies.length; i += 1) tell(i, { type: 'letter', n: round });
    await confirmed;
    return tallies.length;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  for (const tally of tallies) check(tally.received, round);
  return rate;
}

/** Calls, so many at a time; each answer is the number asked with, plus one. */
export function calls(atOnce, ask) {
  const caller = async () => {
    for (let n = 0; n < batch; n += 1) check(await ask(n), n + 1);
  };
  return perSecond(async () => {
    await Promise.all(Array.from({ length: atOnce }, caller));
    return atOnce * batch;
  });
}

/** Makes actors that stay and handle one message each: how many a second, and what each holds on to when it is idle. */
export async function population(spawn, touch) {
  const made = new Array(lives).fill(undefined);
  const make = async (total) => {
    for (let i = 0; i < total; i += 1) made[i] = await spawn();
  };
  await make(lives / 10);
  for (let i = 0; i < lives / 10; i += 1) touch(made[i]);
  const before = await heldBytes();
  const used = process.cpuUsage();
  await make(lives);
  const spawns = lives / cpuSeconds(used);
  for (const actor of made) touch(actor);
  return { spawns, bytes: ((await heldBytes()) - before) / lives };
}

async function heldBytes() {
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function check(got, wanted) {
  if (got !== wanted) fail(`got ${got} instead of ${wanted}`);
}

function fail(what) {
  console.error(what);
  process.exit(1);
}
