/**
 * Which socket library this process uses: the best that can be loaded here, in this order.
 *
 *   official   the official build of uWebSockets.js, if the user has installed it
 *   20.57      `@btc-vision/uwebsockets.js` of that version or newer: Node 20, 22, 24, 25
 *   20.30      `@trufflesuite/uws-js-unofficial`: Node 20, and older systems
 *   node       our own adapter of Node's `http` and the `ws` package: everywhere
 *
 * docs/platforms.md tells users where each of them runs.
 */
import { HiveError } from '../../observe/errors.ts';
import { type NativePackage, official, trufflesuite, tryPackage, uws57 } from './native.ts';
import { nodeLibrary } from './node/library.ts';
import type { SocketLibrary } from './types.ts';
import { uwsLibrary } from './uws.ts';

export type LibraryName = 'official' | '20.57' | '20.30' | 'node';

export interface ChosenSockets {
  readonly library: SocketLibrary;
  readonly name: LibraryName;
  /** Name and version as users see them: `uWebSockets 20.57.0`. */
  readonly title: string;
  readonly version: string;
  /** Better ones, and why each cannot be had. */
  readonly refused: readonly Refused[];
}

export interface Refused {
  readonly name: LibraryName;
  readonly reason: string;
}

export interface SocketsWanted {
  /** The folder whose packages are looked at before those of Hive. The working directory unless told. */
  readonly from?: string;
  /** One of the names, or `native` for the best that is not Node's own. The environment's `HIVE_SOCKETS` unless told. */
  readonly forced?: string | undefined;
}

const natives: readonly (readonly [LibraryName, NativePackage])[] = [
  ['official', official],
  ['20.57', uws57],
  ['20.30', trufflesuite],
];
const words = [...natives.map(([name]) => name), 'native', 'node'];

/** @throws HiveError `sockets_unavailable` if none of those wanted can be had */
export function chooseSockets(wanted: SocketsWanted = {}): ChosenSockets {
  const { from = process.cwd(), forced = process.env.HIVE_SOCKETS || undefined } = wanted;
  if (forced !== undefined && !words.includes(forced)) {
    throw new HiveError('sockets_unavailable', `HIVE_SOCKETS is ${forced}, which is none of ${words.join(', ')}.`);
  }
  const refused: Refused[] = [];
  for (const [name, wantedPackage] of natives) {
    if (forced !== undefined && forced !== 'native' && forced !== name) continue;
    const tried = tryPackage(wantedPackage, from);
    if ('module' in tried) {
      const { version } = tried;
      return {
        library: uwsLibrary(tried.module, name !== '20.30'),
        name,
        title: `uWebSockets ${version}`,
        version,
        refused,
      };
    }
    refused.push({ name, reason: tried.reason });
  }
  if (forced === undefined || forced === 'node') {
    return { library: nodeLibrary(), name: 'node', title: 'node:http and ws', version: process.versions.node, refused };
  }
  throw new HiveError('sockets_unavailable', `HIVE_SOCKETS is ${forced}, which cannot be had: ${told(refused)}.`);
}

/** How to get native sockets, where nothing better than Node's own was to be had; undefined otherwise. */
export function nativeHint({ name, refused }: ChosenSockets): string | undefined {
  if (name !== 'node' || refused.length === 0) return undefined;
  const where = 'for Node 20, 22, 24 and 25 on macOS, Windows x64 and Linux with glibc 2.38 (Node 20: 2.27)';
  return `The sockets are Node's own. Native ones, which are faster, come with npm's optional dependencies, ${where}. Here: ${told(refused)}.`;
}

function told(refused: readonly Refused[]): string {
  return refused.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
}
