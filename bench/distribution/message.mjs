/** What all contenders send. */
export function message(n) {
  return { type: 'publish', channel: 'chat.lobby', n, text: 'The quick brown fox jumps over the lazy dog, and back.' };
}

/** Messages that a sender hands over per turn of the event loop. */
export const batch = 1000;
/** Waiting bytes beyond which it pauses. */
export const highWater = 8 * 1024 * 1024;

/**
 * Runs and times both measurements, and prints three lines: that the messages begin, how many of them came per second, and how
 * long a round trip takes.
 */
export async function measure(sendAll, ask, messages, roundTrips) {
  for (let i = 0; i < 2000; i += 1) await ask();
  await sendAll(Math.min(messages, 100_000));
  say({ begins: true });
  const sendingMs = await timed(() => sendAll(messages));
  say({ perSecond: messages / (sendingMs / 1000) });
  const askingMs = await timed(async () => {
    for (let i = 0; i < roundTrips; i += 1) await ask();
  });
  say({ roundTripUs: (askingMs * 1000) / roundTrips });
}

function say(what) {
  console.log(JSON.stringify(what));
}

async function timed(work) {
  const start = performance.now();
  await work();
  return performance.now() - start;
}
