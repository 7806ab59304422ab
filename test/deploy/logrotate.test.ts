/** deploy/logrotate: a real node's files, rotated as the sample says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { adapted, run, Scratch } from '../support/deploy.ts';
import { eventually } from '../support/eventually.ts';
import { missing } from '../support/programs.ts';

test('logrotate moves the files of a node that goes on logging into new ones', {
  skip: missing('logrotate'),
}, async (t) => {
  const node = await DefaultNode.start();
  t.after(() => node.stop());
  const scratch = new Scratch(t);
  const logs = join(node.directory, 'log');
  const group = spawnSync('id', ['-gn'], { encoding: 'utf8' }).stdout.trim();
  // Stands for systemd, which would send the node the signal of ExecReload.
  const systemctl = scratch.file('systemctl', `#!/bin/sh\n[ "$1" = is-active ] || kill -HUP ${node.process.pid}\n`);
  chmodSync(systemctl, 0o755);
  const sample = scratch.file(
    'hive',
    adapted('logrotate/hive', {
      '/var/log/hive/': `${logs}/`,
      'su hive hive': `su ${userInfo().username} ${group}`,
      'systemctl ': `${systemctl} `,
    }),
  );
  chmodSync(sample, 0o644);
  const log = join(logs, 'hive.log');
  const before = statSync(log).ino;

  run('logrotate', '--force', '--state', join(scratch.path, 'state'), sample);

  await eventually(() => existsSync(log) && statSync(log).ino !== before, 'a new hive.log');
  assert.ok(readdirSync(logs).includes('hive.log.1'), readdirSync(logs).join());
  assert.equal(statSync(`${log}.1`).ino, before, 'the old one is moved, not copied');
  assert.equal((await node.api('POST', 'router/disable')).status, 200);
  await eventually(() => readFileSync(log, 'utf8').includes('New clients are refused'), 'a line in the new file');
});
