/**
 * The packages with a native build of uWebSockets. All of them may be installed under the name `uWebSockets.js`, so a package
 * is known by the name in its manifest. Its `.node` file is loaded directly: some indexes fall back to JavaScript that serves
 * nothing, and say so only on the console.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { maxHeadBytes } from './head-limit.ts';
import type { UwsModule } from './uws-module.ts';

export interface NativePackage {
  /** The name in its own manifest. */
  readonly name: string;
  /** Names it may be installed under, besides its own. */
  readonly aliases: readonly string[];
  /** Where in the package its `.node` files are. */
  readonly folder: string;
  /** The oldest that will do; major and minor. */
  readonly version?: readonly [number, number];
  /** What its files for Linux need; major and minor. */
  readonly glibc?: readonly [number, number];
}

const alias = 'uWebSockets.js';

export const official: NativePackage = { name: alias, aliases: [], folder: '.' };
export const uws57: NativePackage = {
  name: '@btc-vision/uwebsockets.js',
  aliases: [alias],
  folder: '.',
  version: [20, 57],
  glibc: [2, 38],
};
export const trufflesuite: NativePackage = {
  name: '@trufflesuite/uws-js-unofficial',
  aliases: ['uWebSockets.js-20.30', alias],
  folder: 'binaries',
  glibc: [2, 27],
};

export type Tried = { readonly module: UwsModule; readonly version: string } | { readonly reason: string };

interface Manifest {
  readonly name?: string;
  readonly version?: string;
}

interface Installed {
  readonly folder: string;
  readonly version: string;
}

/** Loads the package, looked for from that folder and then from Hive; or says why that cannot be. */
export function tryPackage(wanted: NativePackage, from: string): Tried {
  const reasons: string[] = [];
  for (const installed of installations(wanted, from)) {
    const tried = tryInstalled(wanted, installed);
    if ('module' in tried) return tried;
    if (!reasons.includes(tried.reason)) reasons.push(tried.reason);
  }
  return { reason: reasons.join(', ') || 'not installed' };
}

function* installations({ name, aliases }: NativePackage, from: string): Generator<Installed> {
  const seen = new Set<string>();
  for (const require of [createRequire(join(from, 'package.json')), createRequire(import.meta.url)]) {
    for (const known of [...aliases, name]) {
      for (const path of require.resolve.paths(known) ?? []) {
        const folder = join(path, known);
        if (seen.has(folder)) continue;
        seen.add(folder);
        const manifest = manifestOf(folder);
        if (manifest?.name === name) yield { folder, version: manifest.version ?? '0.0.0' };
      }
    }
  }
}

/** Read as a file, since packages do not export it. */
function manifestOf(folder: string): Manifest | undefined {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch {
    // Whatever is damaged there is not a package.
    return undefined;
  }
}

function tryInstalled(wanted: NativePackage, { folder, version }: Installed): Tried {
  if (wanted.version && isOlder(version, wanted.version)) {
    return { reason: `${version} is older than ${wanted.version.join('.')}` };
  }
  const { platform, arch, versions } = process;
  const abi = versions.modules;
  const file = join(folder, wanted.folder, `uws_${platform}_${arch}_${abi}.node`);
  if (!existsSync(file)) {
    return { reason: `${version} has no build for Node ${versions.node} (ABI ${abi}) on ${platform} ${arch}` };
  }
  if (platform === 'linux') {
    const glibc = glibcVersion();
    if (glibc === undefined) return { reason: `${version} needs glibc, which this system has not` };
    if (wanted.glibc && isOlder(glibc, wanted.glibc)) {
      return { reason: `${version} needs glibc ${wanted.glibc.join('.')}, this system has ${glibc}` };
    }
  }
  try {
    return { module: load(file), version };
  } catch (error) {
    // `dlopen` tells several lines, the first of which says what is wrong.
    return { reason: `${version} cannot be loaded: ${(error as Error).message.split('\n')[0]}` };
  }
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/** Undefined where the C library is another one. */
function glibcVersion(): string | undefined {
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  const before = report.excludeNetwork;
  // The names of all interfaces and peers would be looked up.
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  return header.glibcVersionRuntime;
}

/** A build of 2025 or later reads it when it is loaded. */
const headVariable = 'UWS_HTTP_MAX_HEADERS_SIZE';

function load(file: string): UwsModule {
  const before = process.env[headVariable];
  process.env[headVariable] = before ?? String(maxHeadBytes);
  try {
    const module = createRequire(join(dirname(file), 'package.json'))(file) as Partial<UwsModule>;
    if (typeof module.App !== 'function') throw new Error('it has no function App');
    return module as UwsModule;
  } finally {
    if (before === undefined) delete process.env[headVariable];
  }
}
