/** How Redis is spoken to here: commands in a pipeline, their answers in the same order. */
export type RedisCommand = [command: string, ...args: (string | number)[]];

/** Rejects if Redis is away, or refuses one of the commands. */
export type RunCommands = (commands: RedisCommand[]) => Promise<unknown[]>;
