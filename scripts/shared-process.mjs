/**
 * Runs test files one after the other in this process: `node --import tsx scripts/shared-process.mjs file ...`. Each file is a suite,
 * so its hooks are for its own tests alone. Most of a small file's time in a process of its own goes into loading what all load.
 */
import { relative } from 'node:path';
import { describe } from 'node:test';
import { pathToFileURL } from 'node:url';

/** As long as a file in a process of its own may take. */
const timeout = 180_000;

for (const file of process.argv.slice(2)) {
  describe(relative(process.cwd(), file), { timeout }, async () => {
    await import(pathToFileURL(file).href);
  });
}
