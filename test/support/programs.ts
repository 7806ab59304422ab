/**
 * Programs that tests need and a user's machine may lack. Such a test is skipped with the reason; under `CI=true`, where
 * everything must be there, it fails instead.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The path of the first of these programs that is installed. */
export function findProgram(...names: string[]): string | undefined {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // not in this folder
      }
    }
  }
  return undefined;
}

/** For `test(title, { skip: missing('redis-server') }, …)`: false if all are there, else the reason. Throws under CI. */
export function missing(...programs: string[]): string | false {
  const absent = programs.filter((program) => !findProgram(program));
  if (absent.length === 0) return false;
  const reason = `needs ${absent.join(', ')}, not installed here`;
  if (process.env.CI === 'true') throw new Error(reason);
  return reason;
}
