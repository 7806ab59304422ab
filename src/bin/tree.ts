/** `hive tree`: the supervision tree of a running node or cluster, drawn or as JSON. */
import { printable } from '../observe/printable.ts';
import { cut } from './operator/cut.ts';
import { askedHealth } from './operator/nodes.ts';
import { Operator } from './operator/operator.ts';
import { print } from './operator/output.ts';
import { isRecord, isText, recordOf, type Shape, withMembers } from './operator/shapes.ts';
import type { Where } from './operator/where.ts';

export interface TreeCommandOptions {
  readonly depth?: number;
  readonly limit?: number;
  readonly path?: string;
  readonly sort?: string;
  readonly cluster?: boolean;
  readonly json?: boolean;
}

const isTree = withMembers<{ id: string; kind: string }>({ id: isText, kind: isText });
const areTrees = withMembers<{ trees: object }>({ trees: recordOf(isRecord) });

/** Resolves to the exit code, 0. @throws Failure (rejection) */
export async function tree(where: Where, { json = false, ...options }: TreeCommandOptions): Promise<number> {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(options)) query.set(name, String(value));
  const operator = new Operator(where);
  try {
    const path = `supervision${query.size > 0 ? `?${query}` : ''}`;
    if (json) {
      const is: Shape<object> = options.cluster ? areTrees : isTree;
      await print(printable(`${JSON.stringify(await operator.json(path, is))}\n`));
      return 0;
    }
    // A drawing could be anybody's text.
    await askedHealth(operator);
    const { text } = await operator.ask(path, { accept: 'text/plain' });
    await print(fitted(printable(text)));
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
