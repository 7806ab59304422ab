/** What operators of the 2014 server met, replayed: the monitor, router and stop, production mode. */
import assert from 'node:assert/strict';
import { replay } from '../support/golden/replay.ts';

// Without further hooks: their metrics would be in the tree.
replay({ title: 'the monitor', recording: '07-monitor', stage: { tellsSids: false } });
replay({
  title: 'the router, and a graceful stop',
  recording: '08-router-and-stop',
  afterwards: async (stage) => assert.equal(await stage.exitCode(), 0),
});
replay({ title: 'production mode', recording: '10-production-mode', concurrency: 3, stage: { mode: 'production' } });
