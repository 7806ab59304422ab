/**
 * How busy the process is: `hive.event_loop.delay`, how much too late a timer comes, and `hive.event_loop.utilization`, the share
 * of the last second in which something was done. Node's own monitor of the delay keeps its buckets to itself, so that it could
 * not be added up over nodes.
 */
import type { Metrics } from './metrics.ts';

/** Often enough for pauses that users notice; a look takes a few microseconds. */
const everyMs = 20;
const utilizationMs = 1000;

/** Watches until it is disposed of. */
export function watchEventLoop(metrics: Metrics): Disposable {
  const delay = metrics.histogram('hive.event_loop.delay');
  let before = performance.eventLoopUtilization();
  let utilization: number | undefined;
  // In the first second that of all the time so far; from Node 22 on there is none yet while the program starts.
  const read = () => utilization ?? performance.eventLoopUtilization().utilization;
  metrics.gauge('hive.event_loop.utilization', read, 'max');
  let last = performance.now();
  let measured = last;
  const timer = setInterval(() => {
    const now = performance.now();
    delay.record(Math.max(0, now - last - everyMs));
    last = now;
    if (now - measured < utilizationMs) return;
    measured = now;
    const present = performance.eventLoopUtilization();
    utilization = performance.eventLoopUtilization(present, before).utilization;
    before = present;
  }, everyMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
