/**
 * Old faults: the first node of a cluster warned that the others were not there yet, and lines about other nodes had the key
 * `node` twice.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseJson } from '../../src/config/json.ts';
import { writeDefaultConfig } from '../support/default-node.ts';
import { eventually } from '../support/eventually.ts';
import { HiveProcess } from '../support/hive-process.ts';
import { freePorts } from '../support/ports.ts';

const severe = new Set(['warning', 'error', 'critical', 'alert', 'emergency']);

test('nodes that find each other start without a warning, and each line of their logs has each key once', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hive-quiet-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [epmd, ...ports] = await freePorts(4);
  const names = ['one', 'two', 'three'].map((id) => `${id}@127.0.0.1`);
  const processes: HiveProcess[] = [];
  t.after(() => Promise.all(processes.map((process) => process.stop('SIGKILL'))));
  for (const [index, name] of names.entries()) {
    const file = await writeDefaultConfig(directory, `${name}.json`, ({ hive, log }) => {
      const port = { cluster_port_min: ports[index], cluster_port_max: ports[index] };
      Object.assign(hive!, { name, epmd_port: epmd, ...port, cluster_nodes: names });
      Object.assign(log!, { dir: join(directory, name), file_level: 'info' });
    });
    processes.push(await HiveProcess.run(file));
  }
  const lines = (name: string) =>
    readFileSync(join(directory, name, 'hive.log'), 'utf8')
      .split('\n')
      .filter(Boolean);
  for (const name of names) {
    const others = names.filter((other) => other !== name);
    const met = () => others.every((other) => lines(name).some((line) => line.includes(`"${other} is connected"`)));
    await eventually(met, `${name} to meet the others`);
    for (const line of lines(name)) {
      const { value, duplicates } = parseJson(line);
      assert.deepEqual(duplicates, [], line);
      assert.ok(!severe.has((value as { level: string }).level), line);
    }
    assert.ok(lines(name).some((line) => line.includes(`"node":"${name}"`) && line.includes(`"peer":"${others[0]}"`)));
  }
  for (const { stderr } of processes) assert.doesNotMatch(stderr, /warning/i);
});
