/** deploy/prometheus and deploy/grafana: a real Prometheus with our files scrapes a real node, and is asked all of their queries. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { DefaultNode } from '../support/default-node.ts';
import { adapted, deployed, run, Scratch, serve } from '../support/deploy.ts';
import { eventually } from '../support/eventually.ts';
import { freePorts } from '../support/ports.ts';
import { missing } from '../support/programs.ts';
import { parsePrometheus } from '../support/prometheus.ts';
import { RedisServer } from '../support/redis.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const dashboard = JSON.parse(readFileSync(deployed('grafana/hive.json'), 'utf8')) as Dashboard;
const alerts = (
  parse(readFileSync(deployed('prometheus/alerts.yml'), 'utf8')) as { groups: { rules: Alert[] }[] }
).groups.flatMap(({ rules }) => rules);
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/** Every query of the dashboard, as Grafana sends it with all nodes chosen. */
const shown = [
  ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...dashboard.annotations.list.map(({ expr }) => ['annotation', expr] as const),
].map(
  ([title, expr]) =>
    [
      title,
      expr.replaceAll('$job', 'hive').replaceAll('$instance', '.*').replaceAll('$__rate_interval', '1m'),
    ] as const,
);

test('panels have a title, an id and a place of their own', () => {
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  const taken = new Map<string, string>();
  for (const { title, gridPos } of dashboard.panels) {
    assert.ok(title !== '' && gridPos.x + gridPos.w <= 24, title);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
        assert.equal(taken.get(`${x},${y}`), undefined, `${title} lies on another panel`);
        taken.set(`${x},${y}`, title);
      }
    }
  }
});

test('promtool takes the rules, and they fire when they should', { skip: missing('promtool') }, (t) => {
  run('promtool', 'check', 'rules', deployed('prometheus/alerts.yml'));
  // Paths in a test of rules are relative to it.
  const scratch = new Scratch(t);
  copyFileSync(deployed('prometheus/alerts.yml'), join(scratch.path, 'alerts.yml'));
  const cases = join(scratch.path, 'alerts.promtool.yml');
  copyFileSync(fileURLToPath(new URL('alerts.promtool.yml', import.meta.url)), cases);
  run('promtool', 'test', 'rules', cases);
});

describe('against a real node', { skip: missing('prometheus', 'promtool', 'redis-server') }, () => {
  let node: DefaultNode;
  let redis: RedisServer;

  before(async () => {
    redis = await RedisServer.start();
    node = await DefaultNode.start((config) => {
      const timeouts = { restart_timeout: 1000, reconnect_timeout: 100, max_reconnect_timeout: 1000 };
      const at = { host: '127.0.0.1', port: redis.port, database: 0, password: '', ...timeouts };
      const http = { base_url: 'http://127.0.0.1:9', max_connection_timeout: 500, max_connections: 4 };
      Object.assign(config.connectors!.pools!, {
        web: { connector: 'connector.http', size: 1, overflow: 1, args: http },
        states: { connector: 'connector.redis', size: 1, overflow: 1, args: at },
      });
      Object.assign(config.clients!, { recovery: {}, durable: { connector: 'states' } });
    });
  });

  after(async () => {
    await node?.stop();
    await redis?.stop();
  });

  test('every metric of the dashboard and the alerts is one that a node has', async () => {
    const families = parsePrometheus(await (await node.monitor('GET', 'prometheus')).text());
    const known = new Set([...families].flatMap(([name, { samples }]) => [name, ...samples.map((s) => s.name)]));
    const used = [...shown.map(([, expr]) => expr), ...alerts.map(({ expr }) => expr)].flatMap((expr) =>
      [...expr.matchAll(/\bhive_\w+/g)].map(([name]) => name),
    );
    assert.ok(used.length > 50, `${used.length} uses`);
    assert.deepEqual([...new Set(used)].filter((name) => !known.has(name)).sort(), []);
  });

  test('Prometheus scrapes it with our configuration; every query is valid, and those that are shown have data', async (t) => {
    const scratch = new Scratch(t);
    const [port] = (await freePorts(1)) as [number];
    scratch.file('hive-monitor-key', new URL(node.address('monitor', '/KEY')).pathname.slice(1));
    copyFileSync(deployed('prometheus/alerts.yml'), join(scratch.path, 'alerts.yml'));
    const target = node.address('monitor', '').replace('http://', '');
    const file = scratch.file(
      'prometheus.yml',
      adapted('prometheus/prometheus.yml', {
        'interval: 15s': 'interval: 500ms',
        '10.0.0.5:1234': target,
        "          - '10.0.0.6:1234'\n": '',
      }),
    );
    run('promtool', 'check', 'config', file);
    const storage = `--storage.tsdb.path=${join(scratch.path, 'data')}`;
    const options = [`--config.file=${file}`, storage, `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'];
    await serve(t, port, 'prometheus', ...options);
    await eventually(async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok, 'Prometheus to be ready');

    const query = async (expr: string): Promise<unknown[]> => {
      const body = new URLSearchParams({ query: expr });
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query`, { method: 'POST', body });
      const { status, error, data } = (await answer.json()) as Record<string, unknown> & {
        data: { result: unknown[] };
      };
      assert.equal(status, 'success', `${expr}: ${error}`);
      return data.result;
    };
    // Rates need two samples.
    await eventually(
      async () => (await query('count_over_time(up{job="hive"}[1m]) > 3')).length > 0,
      'some scrapes',
      20_000,
    );

    assert.deepEqual(await query('up{job="hive"} == 0'), []);
    const withoutData: string[] = [];
    for (const [title, expr] of shown) if ((await query(expr)).length === 0) withoutData.push(`${title}: ${expr}`);
    assert.deepEqual(withoutData, []);
    for (const { expr } of alerts) await query(expr);
  });
});
