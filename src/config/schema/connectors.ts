/** Section `connectors`: the pools of workers that talk to back ends and databases. */
import { Type } from 'typebox';
import { mapOf, milliseconds, strictObject } from './fields.ts';

export const poolDescriptorSchema = strictObject(
  {
    connector: Type.String({ minLength: 1, description: 'Name of the connector plugin.' }),
    size: Type.Integer({ minimum: 0, maximum: 100_000, description: 'Number of workers that always exist.' }),
    overflow: Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'Maximum number of additional workers under load.',
    }),
    args: Type.Unknown({ description: 'Arguments of the plugin; any JSON value that it accepts.' }),
  },
  { description: 'One pool.' },
);

export const connectorsSchema = strictObject(
  {
    rent_timeout: milliseconds('How long a request waits for a free worker before it fails.', {
      default: 2_000,
      minimum: 1,
    }),
    backoff_num: Type.Integer({
      default: 1,
      minimum: 1,
      maximum: 1_000,
      description: 'Attempts at a pool operation that fails, including the first.',
    }),
    backoff_time: milliseconds('Upper limit of the random delay between two attempts.', { default: 0, minimum: 0 }),
    overflow_idle: milliseconds('How long a worker beyond `size` may be idle before it is stopped.', {
      default: 5_000,
      minimum: 1,
    }),
    pools: mapOf(poolDescriptorSchema, 'Pool name → pool. Pools start with the node, in this order.', { default: {} }),
  },
  { description: 'The pools of workers that talk to back ends and databases.' },
);
