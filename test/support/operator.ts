/** The API and monitor of one node, as back ends and operators use them. */
import type { DefaultNode } from './default-node.ts';

export interface Asked {
  readonly status: number;
  readonly type: string | null;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; undefined if it is none. */
  readonly json: unknown;
}

/** What an error answer says. */
export interface Failure {
  readonly error: string;
  readonly description: string;
}

/** `path` may say `KEY` for the server's key. */
export async function ask(
  node: DefaultNode,
  server: 'api' | 'monitor',
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Asked> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(node.address(server, path), {
    method,
    headers,
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  const type = response.headers.get('content-type');
  const json = type?.startsWith('application/json') && answer !== '' ? (JSON.parse(answer) as unknown) : undefined;
  return { status: response.status, type, headers: response.headers, text: answer, json };
}

/** A number of a node's metric tree; undefined if there is none. */
export async function metric(node: DefaultNode, path: string): Promise<number | undefined> {
  const { json } = await ask(node, 'monitor', 'GET', `/monitor/KEY/${path}`);
  const found = path.split('.').reduce<unknown>((tree, segment) => (tree as Record<string, unknown>)?.[segment], json);
  return typeof found === 'number' ? found : undefined;
}
