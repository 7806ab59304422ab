import type { RedisCommand, RunCommands } from './commands.ts';

interface Asked {
  readonly count: number;
  readonly resolve: (replies: unknown[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * What many ask in one turn goes in one pipeline: a write to a socket costs more than a command. All fail if one does, as with a
 * connection that is lost: so it is for commands that can be repeated.
 */
export function together(run: RunCommands): RunCommands {
  let commands: RedisCommand[] = [];
  let asked: Asked[] = [];
  const send = async (): Promise<void> => {
    const present = asked;
    const sent = commands;
    commands = [];
    asked = [];
    try {
      const replies = await run(sent);
      let at = 0;
      for (const { count, resolve } of present) {
        resolve(replies.slice(at, at + count));
        at += count;
      }
    } catch (error) {
      for (const { reject } of present) reject(error);
    }
  };
  return (more) =>
    new Promise((resolve, reject) => {
      if (asked.length === 0) queueMicrotask(() => void send());
      commands.push(...more);
      asked.push({ count: more.length, resolve, reject });
    });
}
