/** Section `socketio`: the protocols spoken with clients and their limits. */
import { Type } from 'typebox';
import { milliseconds, strictObject } from './fields.ts';

export const socketioSchema = strictObject(
  {
    path: Type.String({
      default: '/socket.io',
      pattern: '^/[^?#\\s]*$',
      patternErrorMessage: 'must be a URL path that starts with /',
      description: 'URL path under which clients connect.',
    }),
    protocols: Type.Array(Type.Enum(['eio4', 'eio3', '0.9']), {
      default: ['eio4', 'eio3', '0.9'],
      minItems: 1,
      uniqueItems: true,
      description:
        'Enabled protocol generations: `eio4` = clients 3.x and 4.x, `eio3` = 1.x and 2.x, `0.9` = the legacy protocol.',
    }),
    transports: Type.Array(Type.Enum(['websocket', 'flashsocket', 'xhr-polling']), {
      default: ['websocket', 'xhr-polling'],
      minItems: 1,
      uniqueItems: true,
      description:
        'Transports offered to clients, preferred first. `flashsocket` means `websocket`; `xhr-polling` means long polling of every generation.',
    }),
    namespaces: Type.Array(
      Type.String({ pattern: '^/[^?#,\\s]*$', patternErrorMessage: 'must be a namespace that starts with /' }),
      { default: ['/'], minItems: 1, uniqueItems: true, description: 'Namespaces that clients may connect to.' },
    ),
    connect_timeout: milliseconds('Time from opening a connection to its first namespace connect packet.', {
      default: 45_000,
      minimum: 1,
    }),
    ping_interval: milliseconds('Time between two pings to an Engine.IO client.', { default: 25_000, minimum: 1 }),
    ping_timeout: milliseconds('Time allowed for the pong before an Engine.IO client is considered gone.', {
      default: 20_000,
      minimum: 1,
    }),
    max_payload: Type.Integer({
      default: 1_000_000,
      minimum: 1_000,
      maximum: 2_147_483_647,
      description: 'Largest message or polling body accepted from a client. Bytes.',
    }),
    max_backpressure: Type.Integer({
      default: 1_048_576,
      minimum: 1_000,
      maximum: 2_147_483_647,
      description: 'Outgoing data that may wait for one client before it is disconnected as too slow. Bytes.',
    }),
    max_packets_per_second: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Packets accepted per second from one client, averaged over ten seconds, so that a burst may have ten times as many; beyond that the connection is closed. 0 = no limit.',
    }),
    compression: Type.Boolean({ default: false, description: 'Compress WebSocket messages (permessage-deflate).' }),
    init_timeout: milliseconds('0.9: time from the handshake to the first transport connection.', {
      default: 5_000,
      minimum: 1,
    }),
    heartbeat_timeout: milliseconds(
      '0.9: idle time after which the server sends a heartbeat or an empty poll answer. The value announced to clients is 1.1 times as long.',
      { default: 15_000, minimum: 1_000 },
    ),
    reconnect_timeout: milliseconds(
      '0.9: the close timeout announced to clients, and how long an absent polling client is kept. Not below `heartbeat_timeout`.',
      { default: 60_000, minimum: 1_000 },
    ),
    poll_timeout: milliseconds('0.9: how long replies to a polling client are collected before they are sent.', {
      default: 50,
      minimum: 1,
    }),
    session_timeout: milliseconds('Time without any packet from a client after which its session ends.', {
      default: 3_600_000,
      minimum: 1,
    }),
  },
  { description: 'The protocols spoken with clients and their limits.' },
);
