// A member of a cluster in a process of its own, to be killed: `member-process.ts name@host epmdPort [seed ...]`.
import { startDistribution } from '../../src/distribution/distribution.ts';
import { Membership } from '../../src/distribution/membership.ts';
import { Kernel } from '../../src/kernel/kernel.ts';
import { silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { cookie } from './cluster.ts';

const [node = '', epmdPort = '', ...seeds] = process.argv.slice(2);
const metrics = new Metrics();
const kernel = new Kernel({ node, log: silent, metrics });
const distribution = await startDistribution({
  kernel,
  cookie,
  portMin: 0,
  portMax: 0,
  epmdPort: Number(epmdPort),
  netTicktimeMs: 60_000,
  maxQueueBytes: 64 * 1024 * 1024,
  maxFrameBytes: 128 * 1024 * 1024,
  maxDepth: 512,
  maxElements: 4_194_304,
  maxAtoms: 4096,
  log: silent,
  metrics,
});
await new Membership({ connections: distribution, seeds, log: silent, minDelayMs: 10, maxDelayMs: 50 }).start();
process.stdout.write('ready\n');
