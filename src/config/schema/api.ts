/** Section `api`: the HTTP API for back ends. */
import { acceptors, accessKey, host, port, strictObject, tls } from './fields.ts';

export const apiSchema = strictObject(
  {
    host: host('127.0.0.1'),
    port: port('TCP port of the HTTP API; 0 = any free one.', { default: 1235 }),
    tls: tls('the API'),
    acceptors,
    hash: accessKey('Key that requests to the API must carry. A secret; at least 8 characters.'),
  },
  { description: 'The HTTP API for back ends.' },
);
