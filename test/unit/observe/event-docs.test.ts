/** The page of the events and the contract in the code say the same. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { documentedEvents } from '../../support/event-docs.ts';

const source = readFileSync(new URL('../../../src/observe/events.ts', import.meta.url), 'utf8');

/** The fields of a record's interface, with their types. */
function fieldsOf(name: string): Map<string, string> {
  const form = new RegExp(`^export interface ${name}(?: extends (\\w+))? \\{\\n(.*?)^\\}`, 'ms');
  const [, base, body] = form.exec(source) ?? [];
  assert.ok(body, `there is no interface ${name}`);
  const inherited = base === undefined ? [] : fieldsOf(base);
  const own = Array.from(
    body.matchAll(/^ {2}(?:readonly )?(\w+): (.*);$/gm),
    ([, field, type]) => [field!, type!] as const,
  );
  return new Map([...inherited, ...own]);
}

test('the page has every channel with all fields of its records, and no others', () => {
  const contract = /^export const events = \{\n(.*?)^\}/ms.exec(source)![1]!;
  const channels = Array.from(contract.matchAll(/^ {2}\w+: .*<(\w+)>\('(.*)'\),$/gm), ([, record, name]) => {
    return [name!, fieldsOf(record!)] as const;
  });
  assert.equal(channels.length, contract.trim().split('\n').length);
  assert.deepEqual(documentedEvents(), new Map(channels));
});

test('what the page says to be exported is', () => {
  const index = readFileSync(new URL('../../../src/index.ts', import.meta.url), 'utf8');
  for (const [, name] of source.matchAll(/^export (?:interface|class|const|function) (\w+)/gm)) {
    assert.match(index, new RegExp(`\\b${name}\\b`), name);
  }
});
