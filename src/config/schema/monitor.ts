/** Section `monitor`: metrics and the supervision tree over HTTP. */
import { Type } from 'typebox';
import { acceptors, accessKey, host, port, strictObject, tls } from './fields.ts';

export const monitorSchema = strictObject(
  {
    host: host('127.0.0.1'),
    port: port('TCP port of the monitor; 0 = any free one.', { default: 1234 }),
    tls: tls('the monitor'),
    acceptors,
    hash: accessKey('Key that requests to the monitor must carry. A secret; at least 8 characters.'),
    public_health: Type.Optional(
      Type.Boolean({ description: 'Whether `/monitor/health` answers without the key, for probes. Absent: no.' }),
    ),
    health_port: Type.Optional(
      port(
        'TCP port that serves only `/live` and `/ready`, for probes, without a key and over plain HTTP. Absent: none.',
      ),
    ),
    health_host: Type.Optional(
      Type.String({ minLength: 1, description: 'Address to listen on for `health_port`. Absent: that of `host`.' }),
    ),
    initialize_counters: Type.Optional(
      Type.Boolean({ description: 'Accepted from 2014 configurations; has no effect: counters always exist.' }),
    ),
  },
  { description: 'Metrics and the supervision tree over HTTP.' },
);
