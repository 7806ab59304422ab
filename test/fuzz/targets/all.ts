/** Every port, and what is said to it. */
import type { Step } from '../conversation.ts';
import { Random } from '../random.ts';
import { httpBackEnd, redis, tcpBackEnd } from './back-ends.ts';
import { enginePolling, engineWebSocket, legacy, rawHttp } from './clients.ts';
import { epmd, handshake, peer } from './nodes.ts';
import { api, health, monitor } from './operators.ts';

const makers = {
  websocket: engineWebSocket,
  polling: enginePolling,
  legacy,
  http: rawHttp,
  api,
  monitor,
  health,
  epmd,
  handshake,
  peer,
  'http-back-end': httpBackEnd,
  'tcp-back-end': tcpBackEnd,
  redis,
} as const satisfies Record<string, (random: Random) => Step[]>;

export type TargetName = keyof typeof makers;

export const targetNames = Object.keys(makers) as TargetName[];

/** The conversation of that number: with the same seed always the same. */
export function makeCase(seed: string, target: TargetName, number: number) {
  const id = `${target}:${number}`;
  return { id, target, steps: makers[target](new Random(`${seed} ${id}`)) };
}

export type FuzzCase = ReturnType<typeof makeCase>;
