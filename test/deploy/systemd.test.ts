/** deploy/systemd: the unit, as systemd reads it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadWithPlugins } from '../../src/plugins/load-with-plugins.ts';
import { adapted, deployed, run, Scratch } from '../support/deploy.ts';
import { missing } from '../support/programs.ts';

const file = 'systemd/hive.service';

test('systemd finds nothing to complain about', { skip: missing('systemd-analyze') }, (t) => {
  // It looks for the program of the service, which is not installed here.
  const unit = new Scratch(t).file('hive.service', adapted(file, { '/usr/bin/hive ': `${process.execPath} ` }));
  assert.equal(run('systemd-analyze', 'verify', '--man=no', unit), '');
});

test('the service may do little that it need not', { skip: missing('systemd-analyze') }, () => {
  // In tenths of systemd's "exposure level", which is 0 to 10.
  const said = run('systemd-analyze', 'security', '--no-pager', '--offline=true', '--threshold=20', deployed(file));
  assert.match(said, /Overall exposure level for hive\.service/);
});

/** It reloaded with /bin/kill, which a minimal Debian lacks: `systemctl reload` failed, and logs went on into the moved files. */
test('the unit calls no program but the shell and hive', () => {
  const programs = [...readFileSync(deployed(file), 'utf8').matchAll(/^Exec\w+=(\S+)/gm)].map(([, program]) => program);
  assert.deepEqual(programs, ['/usr/bin/hive', '/bin/sh']);
});

test('systemd waits longer than a graceful stop may take', async () => {
  const { graceful_termination_timeout: graceMs, max_client_slots: slots, drain_rate: rate } = await defaults();
  assert.ok(setting('TimeoutStopSec') >= 2 * (graceMs / 1000) + slots / rate + 10);
});

test('a service may open more files than a node has slots for clients', async () => {
  assert.ok(setting('LimitNOFILE') > 2 * (await defaults()).max_client_slots);
});

function setting(name: string): number {
  return Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(readFileSync(deployed(file), 'utf8'))?.[1]);
}

async function defaults() {
  return (await loadWithPlugins(fileURLToPath(new URL('../../config/hive.json', import.meta.url)))).config.hive;
}
