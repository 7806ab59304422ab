/** `hive tree`: the supervision tree of a running node or cluster, drawn or as JSON. */
import { printable } from '../observe/printable.ts';
import { cut } from './operator/cut.ts';
import { Operator } from './operator/operator.ts';
import type { Where } from './operator/where.ts';

export interface TreeOptions {
  readonly depth?: number;
  readonly limit?: number;
  readonly path?: string;
  readonly sort?: string;
  readonly cluster?: boolean;
  readonly json?: boolean;
}

/** Resolves to the exit code, 0. @throws Failure (rejection) */
export async function tree(where: Where, { json = false, ...options }: TreeOptions): Promise<number> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) query.set(name, String(value));
  const operator = new Operator(where);
  try {
    const accept = json ? 'application/json' : 'text/plain';
    const { text } = await operator.ask(`supervision${query.size > 0 ? `?${query}` : ''}`, { accept });
    process.stdout.write(json ? printable(`${text}\n`) : fitted(printable(text)));
    return 0;
  } finally {
    operator.close();
  }
}

/** On a terminal one actor is one line, whatever its width; elsewhere nothing is cut. */
function fitted(text: string): string {
  const { isTTY, columns } = process.stdout;
  if (!isTTY || !columns) return text;
  return text
    .split('\n')
    .map((line) => cut(line, columns))
    .join('\n');
}
