/** Mistakes in what plugins are given. */
import { type BadConfig, invalid } from './bad-config.ts';

export const inPlugins: readonly BadConfig[] = [
  {
    title: 'an unknown hook',
    set: { 'clients.hooks.greet.0.hook': 'utils.ecko' },
    expect: [
      {
        path: 'clients.hooks.greet[0]',
        code: 'plugins_error',
        reason: 'no hook of that name',
        suggestion: 'utils.echo',
      },
    ],
  },
  {
    title: 'an unknown action',
    set: { 'clients.actions.send.0.action': 'send_event' },
    expect: [{ path: 'clients.actions.send[0]', code: 'plugins_error', reason: 'no action of that name' }],
  },
  {
    title: 'an unknown connector and an unknown state manager',
    set: {
      'connectors.pools.backend.connector': 'connector.https',
      'clients.state.state_manager': 'sm.remote',
      'clients.hooks': {},
    },
    expect: [
      {
        path: 'connectors.pools.backend',
        code: 'plugins_error',
        reason: 'no connector of that name',
        suggestion: 'connector.http',
      },
      { path: 'clients.state', code: 'plugins_error', reason: 'no state manager of that name' },
    ],
  },
  {
    title: 'a hook whose pool does not exist',
    set: { 'clients.hooks.greet.1.args.connector': 'backends' },
    expect: [
      { path: 'clients.hooks.greet[1].args.connector', code: 'no_config', reason: 'pool', suggestion: 'backend' },
    ],
  },
  {
    title: 'a hook whose pool is of the wrong kind',
    set: { 'clients.hooks.greet.1.args.connector': 'database' },
    expect: [{ path: 'clients.hooks.greet[1].args.connector', code: 'bad_config', reason: 'connector.http' }],
  },
  {
    title: 'a back-end hook with null args',
    set: { 'clients.hooks.greet.1.args': null },
    expect: [{ path: 'clients.hooks.greet[1].args', code: 'bad_config', reason: 'must be an object' }],
  },
  {
    title: 'a misspelt privilege of a hook',
    set: { 'clients.hooks.join.0.args': 'pubic' },
    expect: [
      { path: 'clients.hooks.join[0].args', code: 'bad_config', reason: 'must be one of', suggestion: 'public' },
    ],
  },
  {
    title: 'state in a pool that does not exist',
    set: { 'clients.state.args': { connector: 'redis' } },
    expect: [{ path: 'clients.state.args.connector', code: 'no_config', reason: 'pool' }],
  },
  {
    title: 'a time-out of the state that is not positive',
    set: { 'clients.state.args.expiration_timeout': 0 },
    expect: [{ path: 'clients.state.args.expiration_timeout', code: 'bad_config', reason: 'at least 1' }],
  },
  {
    title: 'HTTP connector: no URL, no connections',
    set: { 'connectors.pools.backend.args': { max_connection_timeout: 1000, max_connections: 0 } },
    expect: [
      { path: 'connectors.pools.backend.args.base_url', code: 'bad_http_connector_args', reason: 'missing' },
      { path: 'connectors.pools.backend.args.max_connections', code: 'bad_http_connector_args', reason: 'at least 1' },
    ],
  },
  {
    title: 'HTTP connector: a URL that cannot be parsed',
    set: { 'connectors.pools.backend.args.base_url': 'backend' },
    expect: [{ path: 'connectors.pools.backend.args.base_url', code: 'bad_http_connector_args', reason: 'URL' }],
  },
  {
    title: 'Redis connector: a misspelt key and a port as text',
    set: {
      'connectors.pools.database.args.port': '6379',
      'connectors.pools.database.args.reconect_timeout': 1000,
      'connectors.pools.database.args.reconnect_timeout': undefined,
    },
    expect: [
      {
        path: 'connectors.pools.database.args.port',
        code: 'bad_redis_connector_args',
        reason: 'must be an integer',
      },
      {
        path: 'connectors.pools.database.args.reconnect_timeout',
        code: 'bad_redis_connector_args',
        reason: 'missing',
      },
      {
        path: 'connectors.pools.database.args.reconect_timeout',
        code: 'bad_redis_connector_args',
        reason: 'unknown key',
        suggestion: 'reconnect_timeout',
      },
    ],
  },
  {
    title: 'mistakes all over the place, named together',
    set: {
      'hive.port': -1,
      'socketio.protocols': ['eio5'],
      'clients.hooks.greet.0.hook': 'utils.nothing',
      'clients.hooks.greet.1.args.connector': 'nowhere',
      'api.hash': '',
      'log.levels': {},
    },
    expect: [
      invalid('hive.port', 'at least 0'),
      invalid('socketio.protocols[0]', 'must be one of', 'eio4'),
      { path: 'clients.hooks.greet[0]', code: 'plugins_error', reason: 'no hook of that name' },
      { path: 'clients.hooks.greet[1].args.connector', code: 'no_config', reason: 'pool' },
      invalid('api.hash', 'at least 8 characters'),
      invalid('log.levels', 'unknown key'),
    ],
  },
];
