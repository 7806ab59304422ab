/** A thousand connections that break at a random byte, in whichever direction: of the handshake, of what was missed, of what comes after. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CutCrowd } from '../support/cut-crowd.ts';
import { RecoveryNode, soonPings } from '../support/recovery-scene.ts';

test('whatever byte is the last one, a client hears everything once and in order', async (t) => {
  const hive = await RecoveryNode.start(({ clients, socketio }) => {
    Object.assign(socketio!, soonPings);
    // However slow the machine is.
    Object.assign(clients!, { recovery: { window: 600_000 } });
    // Nobody is interested in them here.
    const { on_suspend: _, on_recover: __, ...hooks } = clients!.hooks as Record<string, unknown>;
    clients!.hooks = hooks;
  });
  const crowd = new CutCrowd((path, body) => hive.call(path, body), 'cuts', 10);
  t.after(async () => {
    await crowd.stop();
    await hive.stop();
  });
  await crowd.enter(40, hive.port);
  assert.equal(await crowd.cut({ times: 25 }), 1000);
  await crowd.check();
  assert((await hive.count('recovered')) > 500);
});
