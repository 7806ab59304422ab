/**
 * Loaded into every server before its own code (`--import`): tells the load generator over the process channel what cannot be
 * seen from outside, the memory after a full collection, and records profiles of just the measured time.
 */
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';

let inspector;
let pauses;
/** Time between two looks for pauses, ms. */
const pauseResolution = 1;

/** Time between two samples of the processor, microseconds. */
const samplingInterval = 200;
/** Bytes allocated between two samples of the heap. */
const heapSamplingInterval = 4096;

const commands = {
  startPauses() {
    pauses = monitorEventLoopDelay({ resolution: pauseResolution });
    pauses.enable();
    return process.cpuUsage();
  },
  /** The longest since the start, and the processor time that the process has used by now. */
  stopPauses() {
    pauses.disable();
    return { longestMs: Math.max(0, pauses.max / 1e6 - pauseResolution), ...process.cpuUsage() };
  },
  /** The inspector's collection is complete, as that before a heap snapshot; `gc` leaves megabytes behind on a server that has worked. */
  async memory() {
    const collector = new Session();
    collector.connect();
    await collector.post('HeapProfiler.collectGarbage');
    collector.disconnect();
    return process.memoryUsage();
  },
  async startProfile() {
    inspector = new Session();
    inspector.connect();
    await inspector.post('Profiler.enable');
    await inspector.post('Profiler.setSamplingInterval', { interval: samplingInterval });
    await inspector.post('Profiler.start');
  },
  async stopProfile({ file }) {
    const { profile } = await inspector.post('Profiler.stop');
    writeFileSync(file, JSON.stringify(profile));
    inspector.disconnect();
  },
  async startHeapProfile() {
    inspector = new Session();
    inspector.connect();
    await inspector.post('HeapProfiler.enable');
    await inspector.post('HeapProfiler.startSampling', { samplingInterval: heapSamplingInterval });
  },
  async stopHeapProfile({ file }) {
    const { profile } = await inspector.post('HeapProfiler.stopSampling');
    writeFileSync(file, JSON.stringify(profile));
    inspector.disconnect();
  },
};

process.on('message', async ({ id, command, ...args }) => {
  try {
    process.send({ id, result: await commands[command](args) });
  } catch (error) {
    process.send({ id, error: error.stack });
  }
});
// The channel is not to keep a server alive that wants to end, nor is its loss to be noticed.
process.channel.unref();
