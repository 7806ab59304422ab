/** Finds what would keep a demo from starting, and says what to do about it, before anything is started. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const EPMD_PORT = 4369;
const ANSWER_MS = 1000;

/** Why this address cannot be listened on; undefined if it can. */
async function whyNotListen(host, port) {
  const server = createServer();
  try {
    server.listen({ host, port, exclusive: true });
    await once(server, 'listening');
    return undefined;
  } catch (error) {
    return error.code;
  } finally {
    server.close();
  }
}

/** What a local server answers to these bytes; undefined if nobody listens or answers in time. */
async function answer(host, port, bytes) {
  const socket = connect({ host, port });
  socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error('no answer')));
  try {
    socket.end(bytes);
    let text = '';
    for await (const chunk of socket) text += chunk.toString('latin1');
    return text;
  } catch {
    return undefined; // for a probe it is all one why there is no answer
  } finally {
    socket.destroy();
  }
}

function wantedPorts({ nodes, server }, fileOf) {
  const wanted = nodes.flatMap(({ name, config }) => {
    const file = fileOf(name);
    const { hive, api, monitor } = config;
    return [
      { who: `${name} for its clients`, host: hive.host ?? '0.0.0.0', port: hive.port, change: `hive.port in ${file}` },
      { who: `${name} for its API`, host: api.host ?? '127.0.0.1', port: api.port, change: `api.port in ${file}` },
      {
        who: `${name} for its monitor`,
        host: monitor.host ?? '127.0.0.1',
        port: monitor.port,
        change: `monitor.port in ${file}`,
      },
    ];
  });
  return [...wanted, server];
}

/** Those that cannot be listened on, each with the `reason`. */
export async function takenPorts(settings, fileOf) {
  const found = [];
  for (const wanted of wantedPorts(settings, fileOf)) {
    const reason = await whyNotListen(wanted.host, wanted.port);
    if (reason !== undefined) found.push({ ...wanted, reason });
  }
  return found;
}

function explainPort({ who, port, reason, change }) {
  const what = reason === 'EADDRINUSE' ? 'another program has it' : `listening fails with ${reason}`;
  return (
    `port ${port} is wanted by ${who}, but ${what}.\n` +
    `    See which one: ss -ltnp 'sport = :${port}'\n` +
    `    Stop it, or choose another port: ${change}`
  );
}

async function missingClusterPorts({ nodes }, fileOf) {
  const { cluster_port_min: min = 9100, cluster_port_max: max = 9105 } = nodes[0].config.hive;
  let free = 0;
  for (let port = min; port <= max; port += 1) if ((await whyNotListen('127.0.0.1', port)) === undefined) free += 1;
  if (free >= nodes.length) return [];
  return [
    `nodes talk to each other through ports between ${min} and ${max}; ${nodes.length} must be free, ${free} are.\n` +
      `    Widen the range: hive.cluster_port_min and hive.cluster_port_max in ${nodes.map(({ name }) => fileOf(name)).join(' and ')}`,
  ];
}

/** Erlang's port mapper knows the nodes that run on this machine. */
async function takenNames({ nodes }) {
  const port = nodes[0].config.hive.epmd_port ?? EPMD_PORT;
  const listing = (await answer('127.0.0.1', port, Buffer.from([0, 1, 110]))) ?? '';
  return nodes
    .map(({ config }) => config.hive.name.split('@')[0])
    .filter((name) => listing.includes(`name ${name} at port`))
    .map((name) => `a node called ${name} runs on this machine already. Stop it first; is another demo running?`);
}

/** Whether a Redis answers there. */
export async function isRedisAt({ host, port }) {
  const pong = await answer(host, port, 'PING\r\nQUIT\r\n');
  return pong !== undefined && (pong.startsWith('+PONG') || pong.startsWith('-NOAUTH'));
}

/** `url` names the Redis, if the user has chosen one; otherwise the demo starts one where none answers. */
async function missingRedis({ host, port, url, isSecure }) {
  // What speaks TLS is left to the nodes.
  if (isSecure || (await isRedisAt({ host, port }))) return [];
  const without = '    Or run the demo without Redis: make demo';
  if (url) return [`no Redis answers at ${host}:${port}, which REDIS names.\n${without}`];
  const reason = await whyNotListen(host, port);
  if (reason !== undefined) {
    return [
      `port ${port} is wanted by Redis, but ${reason === 'EADDRINUSE' ? 'another program has it' : `listening fails with ${reason}`}.\n` +
        `    See which one: ss -ltnp 'sport = :${port}'\n` +
        '    Stop it, or name a Redis elsewhere: make demo REDIS=redis://host:port',
    ];
  }
  if (spawnSync('redis-server', ['--version']).status === 0) return [];
  return [
    `no Redis answers at ${host}:${port}, and redis-server is not installed.\n` +
      '    Debian: apt install redis-server\n' +
      `    Or name one elsewhere: make demo REDIS=redis://host:port\n${without}`,
  ];
}

/**
 * All obstacles, as texts; empty if the demo can start. `settings` has the `nodes` with their names and configurations, the
 * page's `server` (`who` wants which `host` and `port`, and what to `change` for another one) and `redis` if it is used (`host`, `port`, and its `url` if the user has chosen it);
 * `fileOf(name)` is the file to change for a node.
 */
export async function obstacles(settings, fileOf) {
  return [
    ...(await takenNames(settings)),
    ...(await takenPorts(settings, fileOf)).map(explainPort),
    ...(await missingClusterPorts(settings, fileOf)),
    ...(settings.redis ? await missingRedis(settings.redis) : []),
  ];
}
