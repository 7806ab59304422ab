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
        "Name of the node, `id@host`. Other nodes connect to that host. A bare `id` is completed with the machine's host name.",
    }),
    host: host('0.0.0.0'),
    port: port('TCP port for clients; 0 = any free one.', { default: 8080 }),
    tls: tls('clients'),
    mode: Type.Enum(['production', 'development'], {
      default: 'production',
      description: '`development` shows error details to clients, `production` hides them.',
    }),
    acceptors,
    allowed_origins: Type.Array(Type.Union([Type.String(), Type.Null()]), {
      default: ['http://localhost:*', 'http://127.0.0.1:*', null],
      minItems: 1,
      uniqueItems: true,
      description:
        'Accepted values of the `Origin` request header: exact values (`https://shop.example`), `http://localhost:*` for ' +
        'any port, `*.shop.example` for any subdomain, scheme and port, `*` for any origin, `null` for ' +
        'requests without the header.',
    }),
    max_client_slots: Type.Integer({
      default: 10_000,
      minimum: 1,
      maximum: 10_000_000,
      description:
        'Maximum number of clients connected to this node. Further ones are refused; connections are also refused while 10 % ' +
        'more than that number have no client.',
    }),
    max_connections_per_address: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 10_000_000,
      description:
        'Maximum number of connections from one address to this node; 0 = no limit. IPv6 addresses count by /64.',
    }),
    max_handshakes_per_address: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Maximum number of connections that one address may request from this node per second; 0 = no limit.',
    }),
    trusted_proxies: Type.Array(Type.String({ minLength: 2 }), {
      default: [],
      uniqueItems: true,
      description:
        'Addresses and ranges (`10.0.0.0/8`) of proxies that are trusted to name the client: with ' +
        '`X-Forwarded-For`, `Forwarded` or the PROXY protocol.',
    }),
    max_client_errors: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Number of events of one client that may fail within ten seconds before it is disconnected; 0 = no limit. Failures ' +
        'because no back end or worker is available, or because of a 5xx answer or one without valid actions, do not count.',
    }),
    max_processes: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Accepted from 2014 configurations; has no effect here.' }),
    ),
    graceful_termination_timeout: milliseconds(
      'Time for clients and requests in progress to end before the node stops.',
      { default: 10_000, minimum: 1 },
    ),
    drain_rate: Type.Number({
      default: 500,
      minimum: 0.01,
      maximum: 1_000_000,
      description:
        'Sessions per second whose connections a node closes when it stops or is drained, and they go on at other nodes ' +
        '(`clients.recovery` with `clients.durable`).',
    }),
    direct_websocket: Type.Boolean({
      default: true,
      description: 'Pass WebSocket packets directly to the client actor, bypassing the router and its counters.',
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
        description: 'Secret shared by the nodes of a cluster. Absent: the value of `cluster_name`.',
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
          'Other nodes to connect to, `id@host`, or `id@host:port` to connect without EPMD. One reachable member is enough to find the rest.',
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
            description: 'PEM file with the authority that signed the certificates of all nodes.',
          }),
        },
        {
          description:
            'Mutual TLS between nodes. Absent: plain TCP. Files are relative to the directory of the main configuration file.',
        },
      ),
    ),
    cluster_max_queue: Type.Integer({
      default: 67_108_864,
      minimum: 65_536,
      maximum: 4_294_967_296,
      description:
        'Outgoing data that may be queued for another node before the connection to it is dropped, and publishes that are kept ' +
        'until it has acknowledged them. Bytes.',
    }),
    cluster_resume: milliseconds(
      'Time for which publishes are kept for a node whose connection is lost, at most `cluster_max_queue` bytes of them; 0 = ' +
        'none. When it is back in time, nothing is missing.',
      { default: 60_000, minimum: 0 },
    ),
    cluster_max_frame: Type.Integer({
      default: 134_217_728,
      minimum: 65_536,
      maximum: 2_147_483_647,
      description:
        'Longest message accepted from another node, after decompression; a longer one ends the connection. Bytes.',
    }),
    cluster_max_depth: Type.Integer({
      default: 512,
      minimum: 16,
      maximum: 2000,
      description: 'Maximum nesting of lists, tuples and maps in a message from another node.',
    }),
    cluster_max_elements: Type.Integer({
      default: 4_194_304,
      minimum: 65_536,
      maximum: 134_217_728,
      description: 'Maximum total number of items in the lists, tuples and maps of a message from another node.',
    }),
    cluster_max_atoms: Type.Integer({
      default: 4096,
      minimum: 0,
      maximum: 1_048_576,
      description: 'Maximum number of distinct atoms cached per node; further ones are accepted, but not cached.',
    }),
    epmd_port: Type.Integer({
      default: 4369,
      minimum: 1,
      maximum: 65_535,
      description: 'Port of the Erlang port mapper (EPMD). The node serves it itself if none is running.',
    }),
    net_ticktime: Type.Integer({
      default: 60,
      minimum: 1,
      maximum: 3600,
      description: 'Silence after which another node is considered down; must be the same on all nodes. Seconds.',
    }),
  },
  { description: 'The node, its port for clients and its place in the cluster.' },
);
