/** Section `connectors`: the pools of workers that talk to back ends and databases. */
import { Type } from 'typebox';
import { mapOf, milliseconds, strictObject } from './fields.ts';

export const poolDescriptorSchema = strictObject(
  {
    connector: Type.String({ minLength: 1, description: 'Name of the connector plugin.' }),
    size: Type.Integer({ minimum: 0, maximum: 100_000, description: 'Workers that are always there.' }),
    overflow: Type.Integer({ minimum: 0, maximum: 100_000, description: 'Further workers under load.' }),
    args: Type.Unknown({ description: 'Arguments of the plugin; any JSON value that it accepts.' }),
  },
  { description: 'One pool.' },
);

export const connectorsSchema = strictObject(
  {
    rent_timeout: milliseconds('Time that a request waits for a free worker before it fails.', {
      default: 2_000,
      minimum: 1,
    }),
    backoff_num: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 1_000,
      description: 'Attempts of a pool operation that fails, the first one included.',
    }),
    backoff_time: milliseconds('Upper bound of the random wait between two attempts.', { default: 0, minimum: 0 }),
    overflow_idle: milliseconds('Time that a worker beyond `size` may be idle before it goes.', {
      default: 5_000,
      minimum: 1,
    }),
    pools: mapOf(poolDescriptorSchema, 'Pool name → pool. Started with the node, in this order.', { default: {} }),
  },
  { description: 'The pools of workers that talk to back ends and databases.' },
);
