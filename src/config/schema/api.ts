/** Section `api`: the HTTP API for back ends. */
import { Type } from 'typebox';
import { acceptors, accessKey, host, milliseconds, port, strictObject, tls } from './fields.ts';

export const apiSchema = strictObject(
  {
    host: host('127.0.0.1'),
    port: port('TCP port of the HTTP API; 0 = any free one.', { default: 1235 }),
    tls: tls('the API'),
    acceptors,
    hash: accessKey('Key that requests to the API must carry. A secret; at least 8 characters.'),
    idempotency: strictObject(
      {
        ttl: milliseconds('How long the answer to a call with an `Idempotency-Key` is kept.', {
          default: 300_000,
          minimum: 1000,
        }),
        max_keys: Type.Integer({
          default: 100_000,
          minimum: 1,
          maximum: 10_000_000,
          description: 'Maximum number of keys that a node keeps; the oldest is forgotten first.',
        }),
      },
      { default: {}, description: 'Calls that are carried out once, however often they are made.' },
    ),
  },
  { description: 'The HTTP API for back ends.' },
);
