/** Mistakes in keys and values, and values that do not go together. */
import { type BadConfig, invalid } from './bad-config.ts';

export const inValues: readonly BadConfig[] = [
  {
    title: 'a misspelt key, and so a missing one',
    set: { 'hive.alowed_origins': ['*'], 'api.hsah': 'api-key-0', 'api.hash': undefined },
    expect: [
      invalid('hive.alowed_origins', 'unknown key', 'allowed_origins'),
      invalid('api.hash', 'missing'),
      invalid('api.hsah', 'unknown key', 'hash'),
    ],
  },
  {
    title: 'a key of another section',
    set: { 'log.transports': ['websocket'] },
    expect: [invalid('log.transports', 'unknown key')],
  },
  {
    title: 'a port as text',
    set: { 'hive.port': '8080' },
    expect: [invalid('hive.port', 'must be an integer')],
  },
  {
    title: 'a port out of range',
    set: { 'hive.port': 70000 },
    expect: [invalid('hive.port', 'at most 65535')],
  },
  {
    title: 'a fraction of a millisecond',
    set: { 'socketio.poll_timeout': 0.5 },
    expect: [invalid('socketio.poll_timeout', 'must be an integer')],
  },
  {
    title: 'a time in seconds that is taken for milliseconds',
    set: { 'socketio.heartbeat_timeout': 15 },
    expect: [invalid('socketio.heartbeat_timeout', 'at least 1000')],
  },
  {
    title: 'no allowed origin',
    set: { 'hive.allowed_origins': [] },
    expect: [invalid('hive.allowed_origins', 'must not be empty')],
  },
  {
    title: 'an origin that is neither text nor null',
    set: { 'hive.allowed_origins': ['*', true] },
    expect: [invalid('hive.allowed_origins[1]', 'must be a string or null')],
  },
  {
    title: 'an origin twice',
    set: { 'hive.allowed_origins': [null, 'https://a.example', 'https://a.example'] },
    expect: [invalid('hive.allowed_origins[2]', 'repeats element 1')],
  },
  {
    title: 'an unknown transport',
    set: { 'socketio.transports': ['websockets'] },
    expect: [invalid('socketio.transports[0]', 'must be one of', 'websocket')],
  },
  {
    title: 'durable sessions in a pool that is not there',
    set: { 'clients.durable': { connector: 'databse' } },
    expect: [invalid('clients.durable.connector', 'no pool of that name', 'database')],
  },
  {
    title: 'durable sessions in a pool that is no Redis',
    set: { 'clients.durable': { connector: 'backend' } },
    expect: [invalid('clients.durable.connector', 'not a connector.redis')],
  },
  {
    title: 'no transport',
    set: { 'socketio.transports': [] },
    expect: [invalid('socketio.transports', 'must not be empty')],
  },
  {
    title: 'a path without slash',
    set: { 'socketio.path': 'socket.io' },
    expect: [invalid('socketio.path', 'starts with /')],
  },
  {
    title: 'a key that is too short',
    set: { 'api.hash': 'short' },
    expect: [invalid('api.hash', 'at least 8 characters')],
  },
  {
    title: 'an unknown log level',
    set: { 'log.console_level': 'warn' },
    expect: [invalid('log.console_level', 'must be one of', 'warning')],
  },
  {
    title: 'a comparison with an unknown log level',
    set: { 'log.file_level': '>=warn' },
    expect: [invalid('log.file_level', 'must be one of')],
  },
  {
    title: 'no log directory, and an unknown format',
    set: { 'log.dir': '', 'log.format': 'JSON' },
    expect: [invalid('log.dir', 'must not be empty'), invalid('log.format', 'must be one of', 'json')],
  },
  {
    title: 'a misspelt privilege of a channel, and a missing time-out',
    set: { 'pubsub.channels.room': { privilege: 'Privat' } },
    expect: [
      invalid('pubsub.channels.room.privilege', 'must be one of', 'private'),
      invalid('pubsub.channels.room.timeout', 'missing'),
    ],
  },
  {
    title: 'a hook descriptor without args',
    set: { 'clients.hooks.greet.0': { hook: 'utils.echo' } },
    expect: [invalid('clients.hooks.greet[0].args', 'missing')],
  },
  {
    title: 'a hook descriptor outside an array',
    set: { 'clients.hooks.join': { hook: 'pubsub.subscribe', args: 'public' } },
    expect: [invalid('clients.hooks.join', 'must be an array')],
  },
  {
    title: 'a hook where an action belongs',
    set: { 'clients.actions.send': [{ hook: 'utils.echo', args: null }] },
    expect: [
      invalid('clients.actions.send[0].action', 'missing'),
      invalid('clients.actions.send[0].hook', 'unknown key'),
    ],
  },
  {
    title: 'a pool without size, with a negative overflow',
    set: { 'connectors.pools.backend.overflow': -1, 'connectors.pools.backend.size': undefined },
    expect: [
      invalid('connectors.pools.backend.size', 'missing'),
      invalid('connectors.pools.backend.overflow', 'at least 0'),
    ],
  },
  {
    title: 'one port for two servers',
    set: { 'monitor.port': 8080 },
    expect: [invalid('monitor.port', 'already the port of hive.port')],
  },
  {
    title: 'the port of the API for probes',
    set: { 'monitor.health_port': 1235 },
    expect: [invalid('monitor.health_port', 'already the port of api.port')],
  },
  {
    title: 'a cluster port range the wrong way round',
    set: { 'hive.cluster_port_min': 9200 },
    expect: [invalid('hive.cluster_port_min', 'cluster_port_max (9105)')],
  },
  {
    title: 'a cluster port range that is a configured port',
    set: { 'hive.cluster_port_min': 1234, 'hive.cluster_port_max': 1235 },
    expect: [invalid('hive.cluster_port_min', 'configured elsewhere')],
  },
  {
    title: 'a threshold in per cent, and looks without pause',
    set: { 'monitor.alarms': { clients: 90, interval: 10 } },
    expect: [invalid('monitor.alarms.clients', 'at most 1'), invalid('monitor.alarms.interval', 'at least 100')],
  },
  {
    title: 'an alarm on a gauge that is named like another alarm',
    set: { 'monitor.alarms': { gauges: { memory: 5 } } },
    expect: [invalid('monitor.alarms.gauges.memory', 'is no metric')],
  },
  {
    title: 'another node without host, and one with an impossible port',
    set: { 'hive.cluster_nodes': ['node2'], 'hive.name': 'node 1@127.0.0.1' },
    expect: [invalid('hive.cluster_nodes[0]', 'node2@10.0.0.2'), invalid('hive.name', 'must be a node name')],
  },
  {
    title: 'another node with an impossible port',
    set: { 'hive.cluster_nodes': ['node2@10.0.0.2:99999'] },
    expect: [invalid('hive.cluster_nodes[0]', 'within 1..65535')],
  },
  {
    title: 'trusted proxies that are neither addresses nor ranges',
    set: { 'hive.trusted_proxies': ['10.0.0.0/8', 'proxy.example', '10.0.0.0/33'] },
    expect: [
      invalid('hive.trusted_proxies[1]', 'an IP address or a range'),
      invalid('hive.trusted_proxies[2]', 'an IP address or a range'),
    ],
  },
  {
    title: 'a key that does not exist, and a certificate that is none',
    set: { 'hive.tls': { cert_file: 'config.json', key_file: 'tls/key.pem' } },
    expect: [
      { path: 'hive.tls.cert_file', code: 'file_error', reason: 'holds no certificate' },
      { path: 'hive.tls.key_file', code: 'file_missing', reason: 'does not exist' },
    ],
  },
  {
    title: 'keys that everybody knows or can guess, at ports that everybody reaches',
    set: {
      'api.host': '0.0.0.0',
      'api.hash': 'change-this-api-key',
      'monitor.host': '::',
      'monitor.hash': 'fifteen-letters',
    },
    expect: [
      invalid('api.hash', 'is published with Hive, and the API listens beyond this machine; make one: node -p'),
      invalid('monitor.hash', 'has fewer than 16 characters, and the monitor listens beyond this machine'),
    ],
  },
];
