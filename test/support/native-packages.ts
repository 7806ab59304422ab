/** Packages as npm installs them, for tests of what is taken from them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** What a package calls its file for this process. */
export const binaryName = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;

export function packageFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'hive-sockets-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** Puts a package there, so far without any file but its manifest; gives its folder. */
export function install(from: string, alias: string, manifest: { name: string; version: string }): string {
  const installed = join(from, 'node_modules', alias);
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(installed, 'package.json'), JSON.stringify(manifest));
  return installed;
}

/** A file of the packages that this repository installs that this process can load. */
export function loadableBinary(): string | undefined {
  const require = createRequire(import.meta.url);
  for (const file of [`uWebSockets.js/${binaryName}`, `uWebSockets.js-20.30/binaries/${binaryName}`]) {
    for (const path of require.resolve.paths('x') ?? []) {
      try {
        require(join(path, file));
        return join(path, file);
      } catch {
        // Not this one.
      }
    }
  }
  return undefined;
}
