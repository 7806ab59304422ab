/** Runs back end and nodes of the distributed chat. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { node, nodeScript, python, redisServer, runDemo } from '../../shared/demo/demo.mjs';
import { isRedisAt } from '../../shared/demo/obstacles.mjs';
import { local } from '../../shared/demo/settings.mjs';
import { serveKills } from './killing.mjs';

const file = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The back ends: the example's own in Python, and one that needs nothing but Node. */
export const backEnds = {
  python: (...options) => python('backend', file('../backend/backend.py'), ...options),
  node: (...options) => nodeScript('backend', file('../backend-node/backend.mjs'), ...options),
};

/**
 * `settings` are those of `readSettings`, `backEnd` is one of `backEnds`; `more` are further lines of the summary. The rest goes
 * to `runDemo`.
 */
export async function runChat({ settings, backEnd, more, ...rest }) {
  const { server, redis } = settings;
  const addresses = settings.nodes.flatMap(({ name, config }) => [
    '--api',
    local(config.api.port),
    '--node',
    `${name}=${local(config.hive.port)}`,
  ]);
  const { api, monitor } = settings.nodes[0].config;
  const nodes = settings.nodes.map(({ name, file: config }) => node(name, config));
  const kill = await serveKills([server.url, `http://localhost:${server.port}`], (name) =>
    nodes.find((each) => each.name === name),
  );
  const options = ['--host', server.host, '--port', String(server.port), '--key', api.hash, '--kill', kill];
  const startsRedis = redis && !redis.url && !(await isRedisAt(redis));
  const last = nodes.at(-1);
  await runDemo({
    ...rest,
    settings,
    programs: [...(startsRedis ? [redisServer(redis)] : []), backEnd(...options, ...addresses), ...nodes],
    summary: () => [
      ['The chat', `${server.url}/   (open it twice; ?node=1 and ?node=2 choose the node)`],
      ['Dashboard', `${local(monitor.port)}/monitor/${monitor.hash}/dashboard`],
      ['Sessions', sessions(redis, startsRedis)],
      ...more,
      ['To try', `kill a node by the button in the page, or by kill -9 ${last.pid}; it is started again after 5 s`],
    ],
  });
}

/** Where they are, and what becomes of them when their node is killed. */
function sessions(redis, isOurs) {
  if (!redis) return "in the nodes' memory: clients of a node that is killed come back as new ones";
  const where = isOurs ? 'the Redis of this demo, at' : 'Redis at';
  return `stored in ${where} ${redis.host}:${redis.port}: clients of a node that is killed go on at the other one`;
}

/** The example's own configuration. */
export const configFolder = join(file('..'), 'config');
