/** Runs a command that asks a running node, and says on stderr why it could not. */
import { printable } from '../../observe/printable.ts';
import { Failure } from './failure.ts';
import { type ServerKind, type Where, type WhereOptions, whereIs } from './where.ts';

/** Resolves to the exit code: the command's own, or 1 after a failure. */
export async function carryOut<Options extends WhereOptions>(
  name: string,
  kind: ServerKind,
  options: Options,
  command: (where: Where, options: Omit<Options, keyof WhereOptions>) => Promise<number>,
): Promise<number> {
  const { config, set, url, key, ca, insecure, ...own } = options;
  try {
    return await command(whereIs(kind, options), own);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(printable(`hive ${name}: ${error.message}\n`));
    return 1;
  }
}
