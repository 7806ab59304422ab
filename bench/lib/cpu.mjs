/** Processor time of processes, from the kernel's own books (Linux). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** The kernel counts in hundredths of a second, on every architecture Node runs on. */
const ticksPerSecond = 100;

/** Where a process's own times are in `/proc/<pid>/stat`, behind its name, and those of its children that have ended. */
const times = { own: [11, 13], children: [13, 15] };

/** User and system time of all threads of these processes so far, seconds. */
export function cpuSeconds(pids) {
  return pids.reduce((sum, pid) => sum + secondsOf(pid, times.own), 0);
}

/** The same of all processes that this one has started and that have ended. */
export function endedCpuSeconds() {
  return secondsOf(process.pid, times.children);
}

function secondsOf(pid, [from, to]) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return fields.slice(from, to).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
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
