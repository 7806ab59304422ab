/**
 * Removes from node_modules what only other machines need of the native socket libraries: each is one package with the
 * binaries of all platforms and Node versions. What is left fits this platform and the Node that runs this.
 *
 *   node scripts/prune-sockets.mjs [FOLDER]    the folder with node_modules; this installation unless named
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url));
const modules = join(folder, 'node_modules');
const fitting = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;

let kept = 0;
let removed = 0;
for (const name of readdirSync(modules).filter((entry) => /^uWebSockets\.js(-|$)/.test(entry))) {
  const binaries = filesUnder(join(modules, name)).filter((file) => file.endsWith('.node'));
  const others = binaries.filter((file) => basename(file) !== fitting);
  removed += others.reduce((bytes, file) => bytes + statSync(file).size, 0);
  for (const file of others) rmSync(file);
  if (binaries.length > others.length) kept += 1;
  else rmSync(join(modules, name), { recursive: true });
}
if (kept === 0) {
  console.error(`prune-sockets: no socket library has ${fitting}: nothing native is left`);
  process.exitCode = 1;
} else console.log(`prune-sockets: ${Math.round(removed / 1e6)} MB removed, ${fitting} kept`);

function filesUnder(path) {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? filesUnder(join(path, entry.name)) : [join(path, entry.name)],
  );
}
