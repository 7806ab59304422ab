/** All sections of a configuration, in the order in which they are checked and documented. */
import { apiSchema } from './api.ts';
import { clientsSchema } from './clients.ts';
import { connectorsSchema } from './connectors.ts';
import { hiveSchema } from './hive.ts';
import { logSchema } from './log.ts';
import { monitorSchema } from './monitor.ts';
import { pluginsSchema } from './plugins.ts';
import { pubsubSchema } from './pubsub.ts';
import { socketioSchema } from './socketio.ts';

export const sections = {
  hive: hiveSchema,
  socketio: socketioSchema,
  clients: clientsSchema,
  connectors: connectorsSchema,
  pubsub: pubsubSchema,
  api: apiSchema,
  monitor: monitorSchema,
  log: logSchema,
  plugins: pluginsSchema,
};

/** What a section is that is left out. Those with required keys (of `api` and `monitor` the keys) then lack these. */
export function emptySection(name: keyof typeof sections): object {
  return name === 'plugins' ? [] : {};
}
