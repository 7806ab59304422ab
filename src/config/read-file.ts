/** Reads the files of a configuration: only what is a file, so that nothing is waited for, or read without end. */
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';

/** The file is there, and is none. */
export class NoFile extends Error {}

/** What is read once more is known by it, whatever name it has. */
export interface ReadFile {
  readonly bytes: Buffer;
  readonly identity: string;
}

/** @throws NoFile for a directory, a named pipe or a device, otherwise what the system says */
export function readRegularFile(path: string): ReadFile {
  // Without O_NONBLOCK, which Windows lacks, opening a named pipe waits for a writer.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(file);
    if (!stats.isFile()) throw new NoFile(`it is ${kindOf(stats)}, not a file`);
    return { bytes: readFileSync(file), identity: `${stats.dev}:${stats.ino}` };
  } finally {
    closeSync(file);
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a named pipe';
  return 'a device';
}
