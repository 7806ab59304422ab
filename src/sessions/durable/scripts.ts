/** The scripts that Redis runs, each in a file of its own with its contract in its head. */
import { readFileSync } from 'node:fs';
import type { RedisCommand } from './commands.ts';
import type { BootKeys } from './keys.ts';

function script(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

const put = script('put');
const claim = script('claim');
const remove = script('remove');

function evaluate(text: string, { sessions, gone }: BootKeys, ...args: (string | number)[]): RedisCommand {
  return ['eval', text, 2, sessions, gone, ...args];
}

export function putCommand(keys: BootKeys, sid: string, head: string, contents: string): RedisCommand {
  return evaluate(put, keys, sid, head, contents);
}

export function claimCommand(keys: BootKeys, sid: string, owner: string, claimer: string): RedisCommand {
  return evaluate(claim, keys, sid, owner, claimer);
}

export function removeCommand(
  keys: BootKeys,
  sid: string,
  head: string,
  goneMs: number,
  isClaimed: boolean,
): RedisCommand {
  return evaluate(remove, keys, sid, head, goneMs, isClaimed ? 1 : 0);
}
