/**
 * How many files, sockets among them, this process may have open (`ulimit -n`), and has. Without native code: what the system
 * shows of the limit is read, and of the count as well where it costs nothing.
 */
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';

export interface OpenFiles {
  readonly limit: number;
  /**
   * How many are open; the limit, too, while the system as a whole can open none. Exact on Linux from 6.2. Elsewhere it is the
   * number that the next one gets: too low while there are gaps, which are filled first, but right when none is left.
   */
  count(): number;
}

/** Undefined where there is no such limit. */
export function openFiles(): OpenFiles | undefined {
  const limit = openFilesLimit();
  if (limit === undefined) return undefined;
  // Files that a parent had opened may be beyond the limit.
  return { limit, count: () => Math.min(limit, Math.max(listedFiles(), nextNumber(limit))) };
}

/** Undefined where there is none, or none is told. */
export function openFilesLimit(): number | undefined {
  if (process.platform === 'win32') return undefined;
  const limit = process.platform === 'linux' ? limitOfLinux() : limitInReport();
  return Number.isSafeInteger(limit) && limit > 0 ? limit : undefined;
}

/** proc(5): the soft limit, which Node raises to the hard one when it starts. NaN if there is none. */
function limitOfLinux(): number {
  try {
    return Number(/^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
  } catch {
    return limitInReport(); // no /proc in this jail
  }
}

function limitInReport(): number {
  const report = process.report.getReport() as unknown as { userLimits?: { open_files?: { soft?: unknown } } };
  return Number(report.userLimits?.open_files?.soft);
}

/** From Linux 6.2 on, the size of the directory is how many there are; before, it is 0. */
function listedFiles(): number {
  return (process.platform === 'linux' && statSync('/proc/self/fd', { throwIfNoEntry: false })?.size) || 0;
}

/** POSIX gives every new file the lowest number that is unused. */
function nextNumber(limit: number): number {
  const [file] = openSpare(1);
  if (file === undefined) return limit;
  closeSync(file);
  return file;
}

/** Opens that many files of no use, or as many as can be had; gives their numbers, for `closeSync`. */
export function openSpare(count: number): number[] {
  const files: number[] = [];
  try {
    while (files.length < count) files.push(openSync('/dev/null', 'r'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
  }
  return files;
}

/** How many of them a node keeps for what is no client: connections of the API, the monitor, back ends, other nodes. */
export function reserveOf(limit: number): number {
  return Math.max(8, Math.min(128, Math.floor(limit / 16)));
}
