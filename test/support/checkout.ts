/** A copy of the repository, built and with its packages, in which a test may change files and run commands. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const copied = ['Makefile', 'package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
const copiedFolders = ['scripts', 'src', 'dist', 'examples'];

/** What npm writes at the end of an installation; the Makefile looks at its time. */
const marker = '.package-lock.json';

export class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), 'hive-example-'));

  constructor() {
    for (const file of copied) cpSync(join(repository, file), join(this.folder, file), { preserveTimestamps: true });
    for (const folder of copiedFolders.filter((path) => existsSync(join(repository, path)))) {
      cpSync(join(repository, folder), join(this.folder, folder), { recursive: true, preserveTimestamps: true });
    }
    this.#linkPackages();
    // As new as the marker, so that make finds everything built.
    const program = join(this.folder, 'dist/bin/hive.js');
    if (existsSync(program)) utimesSync(program, new Date(), new Date());
  }

  /**
   * One link per package, in a folder of the copy's own: were it one link to all, an `npm ci` in the copy would empty the
   * repository's. The copied marker is fresh, so that make finds the dependencies installed.
   */
  #linkPackages(): void {
    const [from, to] = [join(repository, 'node_modules'), join(this.folder, 'node_modules')];
    mkdirSync(to);
    for (const name of readdirSync(from)) {
      if (name === marker) cpSync(join(from, name), join(to, name));
      else symlinkSync(join(from, name), join(to, name));
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
