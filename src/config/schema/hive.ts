/** Section `hive`: the node, its port for clients and its place in the cluster. */
import { Type } from 'typebox';
import { nodeAddressPattern, nodeNamePattern } from '../node-name.ts';
import { acceptors, host, milliseconds, port, strictObject, tls } from './fields.ts';

export const hiveSchema = strictObject(
  {
    name: Type.String({
      default: 'hive',
      minLength: 1,
      maxLength: 255,
      pattern: nodeNamePattern,
      patternErrorMessage: 'must be a node name like node1@127.0.0.1, or its part before the @',
      description:
        "Name of the node, `id@host`. Other nodes reach it at that host. A bare `id` is completed with the machine's host name.",
    }),
    host: host('0.0.0.0'),
    port: port('TCP port for clients; 0 = any free one.', { default: 8080 }),
    tls: tls('clients'),
    mode: Type.Enum(['production', 'development'], {
      default: 'production',
      description: '`development` shows clients the details of errors, `production` hides them.',
    }),
    acceptors,
    allowed_origins: Type.Array(Type.Union([Type.String(), Type.Null()]), {
      default: ['http://localhost:*', 'http://127.0.0.1:*', null],
      minItems: 1,
      uniqueItems: true,
      description:
        'Accepted values of the `Origin` request header: exact ones (`https://shop.example`), `http://localhost:*` for ' +
        'every port, `*.shop.example` for every subdomain under any scheme and port, `*` for every origin, `null` for ' +
        'requests without the header.',
    }),
    max_client_slots: Type.Integer({
      default: 10_000,
      minimum: 1,
      maximum: 10_000_000,
      description:
        'Number of clients that may be connected to this node at a time. More are refused, and so are connections while 10 % ' +
        'more than that have no client.',
    }),
    max_connections_per_address: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 10_000_000,
      description:
        'Number of connections that clients of one address may have to this node; 0 = no limit. Of IPv6 the /64 counts.',
    }),
    max_handshakes_per_address: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Number of connections that clients of one address may ask this node for in a second; 0 = no limit.',
    }),
    trusted_proxies: Type.Array(Type.String({ minLength: 2 }), {
      default: [],
      uniqueItems: true,
      description:
        'Addresses and ranges (`10.0.0.0/8`) of proxies that are believed when they say whose requests they pass on: by ' +
        '`X-Forwarded-For`, `Forwarded` or the PROXY protocol.',
    }),
    max_client_errors: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Events of one client that may fail within ten seconds before it is disconnected; 0 = no limit. What fails for ' +
        'want of a back end or worker, or with a 5xx answer, does not count.',
    }),
    max_processes: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Accepted from 2014 configurations; has no effect here.' }),
    ),
    graceful_termination_timeout: milliseconds(
      'Time that clients and requests under way get to end before the node stops.',
      { default: 10_000, minimum: 1 },
    ),
    direct_websocket: Type.Boolean({
      default: true,
      description: 'WebSocket packets go straight to the client actor, past the router and its counters.',
    }),
    websocket_ping_timeout: milliseconds('Time allowed for a pong after a ping on a 0.9 WebSocket.', {
      default: 500,
      minimum: 1,
    }),
    cluster_name: Type.String({ default: 'hive_cluster', minLength: 1, description: 'Name of the cluster.' }),
    cluster_cookie: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'Secret that the nodes of a cluster share. Absent: the value of `cluster_name`.',
      }),
    ),
    cluster_nodes: Type.Array(
      Type.String({
        minLength: 1,
        pattern: nodeAddressPattern,
        patternErrorMessage: 'must be a node like node2@10.0.0.2 or, without EPMD, node2@10.0.0.2:9101',
      }),
      {
        default: [],
        uniqueItems: true,
        description:
          'Other nodes to connect to, `id@host`; `id@host:port` does without EPMD. One reachable member is enough to find the rest.',
      },
    ),
    cluster_port_min: port('Lowest TCP port to listen on for other nodes.', { default: 9100 }),
    cluster_port_max: port('Highest TCP port to listen on for other nodes.', { default: 9105 }),
    cluster_tls: Type.Optional(
      strictObject(
        {
          cert_file: Type.String({ minLength: 1, description: "PEM file with this node's certificate chain." }),
          key_file: Type.String({ minLength: 1, description: "PEM file with this node's private key." }),
          ca_file: Type.String({
            minLength: 1,
            description: "PEM file with the authority of all nodes' certificates.",
          }),
        },
        { description: 'Mutual TLS between nodes. Absent: plain TCP. Files: relative to the main file.' },
      ),
    ),
    cluster_max_queue: Type.Integer({
      default: 67_108_864,
      minimum: 65_536,
      maximum: 4_294_967_296,
      description: 'Outgoing bytes queued per other node before the link to it is dropped. Bytes.',
    }),
    cluster_max_frame: Type.Integer({
      default: 134_217_728,
      minimum: 65_536,
      maximum: 2_147_483_647,
      description:
        'Longest message accepted from another node, a compressed one unfolded; a longer one ends the connection. Bytes.',
    }),
    cluster_max_depth: Type.Integer({
      default: 512,
      minimum: 16,
      maximum: 2000,
      description: 'How deep lists, tuples and maps in a message of another node may be nested.',
    }),
    cluster_max_elements: Type.Integer({
      default: 4_194_304,
      minimum: 65_536,
      maximum: 134_217_728,
      description: 'How many items the lists, tuples and maps in a message of another node may have together.',
    }),
    cluster_max_atoms: Type.Integer({
      default: 4096,
      minimum: 0,
      maximum: 1_048_576,
      description:
        'Different atoms kept for each other node, so that they need not be made again; further ones are understood, but not kept.',
    }),
    epmd_port: Type.Integer({
      default: 4369,
      minimum: 1,
      maximum: 65_535,
      description: 'Port of the Erlang port mapper; served by the node itself where none is running.',
    }),
    net_ticktime: Type.Integer({
      default: 60,
      minimum: 1,
      maximum: 3600,
      description: 'Silence after which another node counts as down; must be the same on all nodes. Seconds.',
    }),
  },
  { description: 'The node, its port for clients and its place in the cluster.' },
);
