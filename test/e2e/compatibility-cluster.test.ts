/** The 2014 server beyond one node, replayed: two nodes, state in Redis. */
import { replay } from '../support/golden/replay.ts';
import { missing } from '../support/programs.ts';

replay({
  title: 'two nodes',
  recording: '11-two-nodes',
  stage: { names: ['goldena@127.0.0.1', 'goldenb@127.0.0.1'] },
});
replay({
  title: 'state in Redis',
  recording: '12-redis-state',
  skip: missing('redis-server'),
  stage: { redis: true },
});
