/** The scripts that Redis runs, each in a file of its own with its contract in its head. */
import { readFileSync } from 'node:fs';
import type { RedisCommand } from './commands.ts';
import type { BootKeys, OwnerKeys } from './keys.ts';

function script(name: string): string {
  return readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');
}

const put = script('put');
const claim = script('claim');
const remove = script('remove');
const keep = script('keep');

function evaluate(text: string, { sessions, gone }: BootKeys, ...args: (string | number)[]): RedisCommand {
  return ['eval', text, 2, sessions, gone, ...args];
}

export function putCommand(keys: BootKeys, sid: string, head: string, contents: string): RedisCommand {
  return evaluate(put, keys, sid, head, contents);
}

export function claimCommand(keys: BootKeys, sid: string, owner: string, claimer: string): RedisCommand {
  return evaluate(claim, keys, sid, owner, claimer);
}

/** @param kept of each publication: its field, how many packets it has, and these as a batch */
export function keepCommand(keys: OwnerKeys, kept: readonly (string | number)[]): RedisCommand {
  return ['eval', keep, 1, keys.kept, ...kept];
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
