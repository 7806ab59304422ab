/** The keys in Redis that the documentation lists. */
import { readFileSync } from 'node:fs';

/** What stands for what, in the names of keys. */
const placeholders: Record<string, string> = {
  cluster: '[^:{}]+',
  owner: '[\\w-]{16}',
  tag: '[\\w-]{8}',
  sid: '[\\w-]{30}',
};

/** The names of docs/deployment.md, as patterns. */
function documentedKeys(): RegExp[] {
  const page = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
  const names = [...page.matchAll(/^\| `(\{?hive:<cluster>:[^`]+)` /gm)].map(([, name]) => name!);
  return names.map((name) => {
    const pattern = name.replace(/[{}]/g, '\\$&').replace(/<(\w+)>/g, (_, what: string) => placeholders[what]!);
    return new RegExp(`^${pattern}$`);
  });
}

const known = documentedKeys();

export function undocumented(keys: readonly string[]): string[] {
  return keys.filter((key) => !known.some((pattern) => pattern.test(key)));
}
