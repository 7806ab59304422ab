/** A catalogue with the built-in plugins' names and, where tests of the configuration need them, arguments. */
import { type TSchema, Type } from 'typebox';
import type { Imported, PluginCatalogue, PluginContract, PluginKind } from '../../src/config/catalogue.ts';
import { checkPool } from '../../src/plugins/args.ts';

function strict(properties: Record<string, TSchema>): TSchema {
  return Type.Object(properties, { additionalProperties: false });
}

const any: PluginContract = { args: Type.Unknown(), argsCode: 'bad_config' };
const privilege: PluginContract = { args: Type.Enum(['public', 'private']), argsCode: 'bad_config' };
const backend: PluginContract = {
  args: strict({ connector: Type.String(), endpoint: Type.String() }),
  argsCode: 'bad_config',
  check: (args, config) => checkPool(args as { connector: string }, config, ['connector.http', 'connector.tcp']),
};

const contracts: Record<PluginKind, Record<string, PluginContract>> = {
  hook: {
    'utils.echo': {
      args: Type.Union([Type.Null(), strict({ name: Type.String(), args: Type.Optional(Type.Array(Type.Unknown())) })]),
      argsCode: 'bad_config',
    },
    'utils.console_dump': any,
    'utils.dispatch': any,
    'hp.get': backend,
    'hp.put': backend,
    'hp.post': backend,
    'pubsub.publish': {
      args: strict({ cids: Type.Unknown(), privilege: privilege.args, raw: Type.Boolean({ default: false }) }),
      argsCode: 'bad_config',
    },
    'pubsub.subscribe': privilege,
    'pubsub.unsubscribe': privilege,
    'pubsub.resubscribe': privilege,
  },
  action: Object.fromEntries([
    ...['stop', 'error', 'send_event', 'send_message', 'send_json', 'send_ack', 'update_state', 'dispatch']
      .concat('add_hooks', 'remove_hooks', 'start_connectors', 'stop_connectors')
      .map((name) => [`action.${name}`, any]),
    ...['publish', 'publish_raw', 'subscribe', 'unsubscribe', 'resubscribe'].map((name) => [
      `action.pubsub.${name}`,
      privilege,
    ]),
  ]),
  connector: {
    'connector.http': {
      args: strict({
        base_url: Type.String({ minLength: 1 }),
        max_connection_timeout: Type.Integer({ minimum: 0 }),
        max_connections: Type.Optional(Type.Integer({ minimum: 1 })),
      }),
      argsCode: 'bad_http_connector_args',
      check(args) {
        const { base_url: url } = args as { base_url: string };
        if (URL.canParse(url)) return undefined;
        return { code: 'bad_http_connector_args', path: 'base_url', reason: `${url} is not a URL` };
      },
    },
    'connector.redis': {
      args: strict({
        host: Type.String(),
        port: Type.Integer({ minimum: 0, maximum: 65_535 }),
        database: Type.Integer({ minimum: 0 }),
        password: Type.Optional(Type.String()),
        restart_timeout: Type.Integer({ minimum: 0 }),
        reconnect_timeout: Type.Integer({ minimum: 0 }),
        max_reconnect_timeout: Type.Integer({ minimum: 0, default: 5_000 }),
      }),
      argsCode: 'bad_redis_connector_args',
    },
  },
  state_manager: {
    'sm.local': any,
    'sm.redis': {
      args: strict({
        connector: Type.String(),
        expiration_timeout: Type.Integer({ minimum: 1, default: 172_800_000 }),
      }),
      argsCode: 'bad_config',
      check: (args, config) => checkPool(args as { connector: string }, config, ['connector.redis']),
    },
  },
};

const catalogue: PluginCatalogue = {
  find: (kind, name) => (Object.hasOwn(contracts[kind], name) ? contracts[kind][name] : undefined),
  names: (kind) => Object.keys(contracts[kind]),
};

/** No module is imported. */
export async function importPlugins(): Promise<Imported<PluginCatalogue>> {
  return { catalogue, faults: [] };
}
