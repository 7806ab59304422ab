/** What a command prints: a result that is lost on the way is an error. */
import { Failure } from './failure.ts';

// Who writes learns of errors; without a listener they would be exceptions.
process.stdout.on('error', () => {});

/**
 * Writes to stdout. A reader who has seen enough (`hive tree | head`) is no error.
 * @throws Failure (rejection) if it cannot be written, as on a full disk
 */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const written = (error?: NodeJS.ErrnoException | null): void => {
      if (!error || error.code === 'EPIPE') resolve();
      else reject(new Failure(`The output cannot be written: ${error.message}.`));
    };
    try {
      process.stdout.write(text, written);
    } catch (error) {
      // Files are written at once, and Node 20 throws then.
      written(error as NodeJS.ErrnoException);
    }
  });
}
