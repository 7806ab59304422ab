/** Visitors that come at a rate, and stay for a while; it resolves when the last has gone. */
import { setTimeout as pause } from 'node:timers/promises';
import { Visitor } from './visitor.mjs';

/** Visitors who come one after the other are in the same room. */
const perRoom = 10;
/** Between two things that a visitor says, on average. */
const paceMs = 1000;
/** Every so many visitors vanish without closing anything. */
const impoliteEvery = 5;

let comers = 0;

/** @param options `{ ms, rate: visitors per second, stayMs, fail }` */
export async function visits(target, { ms, rate, stayMs, fail }) {
  const end = performance.now() + ms;
  const start = performance.now();
  const pending = new Set();
  const totals = { visits: 0, heard: 0 };
  while (performance.now() < end) {
    comers += 1;
    totals.visits += 1;
    const visitor = new Visitor(`visitor ${comers}`, `chat.room${Math.floor(comers / perRoom)}`, fail);
    const stay = { ms: stayMs * (0.5 + Math.random()), paceMs, polite: comers % impoliteEvery !== 0 };
    const visit = visitor.visit(target, stay).then(() => {
      totals.heard += visitor.heard;
      pending.delete(visit);
    });
    pending.add(visit);
    await pause(Math.max(0, start + (totals.visits * 1000) / rate - performance.now()));
  }
  await Promise.all(pending);
  return totals;
}
