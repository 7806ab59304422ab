/** Old fault: what belongs together was sent together, and a Cluster refused it, as it was in several slots. */
import { durableSessionsSuite } from '../../support/durable-sessions-suite.ts';
import { missing } from '../../support/programs.ts';
import { startCluster } from '../../support/redis-sets.ts';

durableSessionsSuite(
  'a Cluster',
  async () => {
    const nodes = await startCluster(3);
    return {
      args: { cluster: [`127.0.0.1:${nodes[0]!.port}`] },
      stop: () => Promise.all(nodes.map((node) => node.stop())),
    };
  },
  missing('redis-server'),
);
