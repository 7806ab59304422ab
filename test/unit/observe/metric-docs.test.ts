import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { durableMetricNames, metricNames, optionalMetricNames, poolMetricNames } from '../../support/metric-names.ts';

/** The paths in the first cells of the page's tables; `.last` stands for the path before it with another last segment. */
function documented(): Set<string> {
  const page = readFileSync(new URL('../../../docs/monitor.md', import.meta.url), 'utf8');
  const paths = new Set<string>();
  for (const line of page.split('\n')) {
    const cell = /^\| (`[a-z].*?) +\| (?:gauge|counter|histogram) +\|/.exec(line)?.[1] ?? '';
    let stem = '';
    for (const [, name = ''] of cell.matchAll(/`([^`]+)`/g)) {
      const path = name.startsWith('.') ? stem + name : name;
      stem = path.slice(0, path.lastIndexOf('.'));
      paths.add(path);
    }
  }
  return paths;
}

/** As the page writes it. */
function generic(path: string): string {
  return path
    .replace(/^pubsub\.channels\.ping\./, 'pubsub.channels.<prefix>.')
    .replace(/^clients\.durable\.incomplete\.\w+/, 'clients.durable.incomplete.<reason>')
    .replace(/^hive\.alarms\.\w+/, 'hive.alarms.<alarm>')
    .replace(/^api\.\w+\.(?=requests|errors)/, 'api.<section>.')
    .replace(/^clients\.hooks\.(?:ping|subscribe|unsubscribe)\.\w+$/, 'clients.hooks.<event>.…');
}

test('the page of the monitor has every metric, and no others', () => {
  const pools = Object.entries(poolMetricNames).flatMap(([kind, names]) =>
    names.map((name) => {
      const shared = Object.values(poolMetricNames).every((list: readonly string[]) => list.includes(name));
      return `connectors.${shared ? '<kind>' : kind}.<pool>.${name}`;
    }),
  );
  const real = new Set([
    ...metricNames.map(generic),
    ...durableMetricNames.map(generic),
    ...optionalMetricNames,
    ...pools,
  ]);
  const page = documented();
  assert.deepEqual(
    [...real].filter((path) => !page.has(path)),
    [],
    'not documented',
  );
  assert.deepEqual(
    [...page].filter((path) => !real.has(path)),
    [],
    'not there',
  );
});
