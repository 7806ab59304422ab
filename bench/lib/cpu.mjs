/** Processor time of processes, from the kernel's own books (Linux). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The kernel counts in hundredths of a second, on every architecture Node runs on. */
const ticksPerSecond = 100;

/** User and system time of all threads of these processes so far, seconds. */
export function cpuSeconds(pids) {
  let ticks = 0;
  for (const pid of pids) {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
      .slice(11, 13);
    ticks += Number(user) + Number(system);
  }
  return ticks / ticksPerSecond;
}

/** User and system time of this process so far, seconds. */
export function ownCpuSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Where servers and load generator run: two processors, or the same for both where there is only one. */
export const cpus = { server: 0, generator: availableParallelism() > 1 ? 1 : 0 };

/** Whether they share one. */
export const sharesProcessor = cpus.server === cpus.generator;

/** Keeps this process, with all its threads, on the processor of the load generator. */
export function pinGenerator() {
  execFileSync('taskset', ['-acp', String(cpus.generator), String(process.pid)], { stdio: 'ignore' });
}

/** The command that runs a program on one processor. */
export function pinned(cpu, command, args) {
  return ['taskset', ['-c', String(cpu), command, ...args]];
}
