import assert from 'node:assert/strict';
import { test } from 'node:test';
import { health } from '../../../../src/actors/monitor/health.ts';
import { PoolTable } from '../../../../src/actors/pools/pool-table.ts';
import type { NodeName } from '../../../../src/kernel/types.ts';
import { HiveError } from '../../../../src/observe/errors.ts';
import { Puppet, TestKernel } from '../../../support/actors.ts';

const managers = [
  'hive_cluster',
  'hive_connectors',
  'hive_router',
  'hive_departures',
  'hive_relay',
  'hive_pubsub',
  'hive_api',
  'hive_web',
];

test('a node is degraded while something is missing, and says what', async () => {
  const kernel = new TestKernel();
  for (const name of managers) await kernel.run(new Puppet(), { name });
  const missing: NodeName[] = [];
  let refusal: HiveError | undefined;
  let obstacle: string | undefined;
  const self = kernel.node;
  const tags = { nodeOf: () => undefined, tagOf: () => undefined, ownerOf: () => self };
  const cluster = { self, nodes: () => [self], missing: () => missing, ...tags };
  const pools = new PoolTable(kernel, kernel.metrics);
  const problems: string[] = [];
  const seen = () =>
    health({ kernel, cluster, pools, refusal: () => refusal, obstacle: () => obstacle, problems: () => problems });
  assert.deepEqual(seen(), { status: 'ready', reasons: [] });
  refusal = new HiveError('no_slots');
  assert.deepEqual(seen(), { status: 'degraded', reasons: ['no slot is free for a further client'] });
  obstacle = 'open files run short: at most 256 may be open';
  assert.deepEqual(seen(), { status: 'degraded', reasons: [obstacle] });
  obstacle = undefined;
  refusal = undefined;
  problems.push('the log hive.log cannot be written');
  assert.deepEqual(seen(), { status: 'degraded', reasons: problems });
  problems.pop();
  missing.push('other@127.0.0.1' as NodeName);
  await kernel.stop(kernel.whereis('hive_relay')!);
  const reasons = ['hive_relay is not running', 'other@127.0.0.1 is not connected'];
  assert.deepEqual(seen(), { status: 'degraded', reasons });
  refusal = new HiveError('router_error');
  assert.deepEqual(seen(), { status: 'draining', reasons: ['new clients are refused', ...reasons] });
});
