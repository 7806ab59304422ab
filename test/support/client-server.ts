/** A client server on a free port with a fake session layer above it, for tests of protocols and transports. */
import { randomBytes } from 'node:crypto';
import { TimingWheel } from '../../src/kernel/timers.ts';
import type { HiveError } from '../../src/observe/errors.ts';
import { silent } from '../../src/observe/logger.ts';
import { Metrics } from '../../src/observe/metrics.ts';
import { ackPacket, type ClientPacket, EventPacket } from '../../src/protocol/packet.ts';
import type {
  ClientHandle,
  CloseReason,
  OpenRequest,
  SessionHost,
  Sink,
  TransportKind,
} from '../../src/web/client/client-handle.ts';
import type { ClientSettings } from '../../src/web/client/connection-context.ts';
import { type ClientServerOptions, startClientServer } from '../../src/web/client/server.ts';
import { Topics } from '../../src/web/client/topics.ts';
import { eventually } from './eventually.ts';
import { sockets } from './sockets.ts';

export type SettingsChange = { hive?: Partial<ClientSettings['hive']>; socketio?: Partial<ClientSettings['socketio']> };

/** Remembers everything, echoes events named `echo`, acknowledges those with an id. */
export class FakeSession implements ClientHandle {
  readonly sid = randomBytes(8).toString('hex');
  readonly request: OpenRequest;
  readonly received: ClientPacket[] = [];
  readonly rejected: HiveError[] = [];
  readonly transports: TransportKind[] = [];
  readonly closed: CloseReason[] = [];
  sink!: Sink;
  readonly #host: FakeHost;

  constructor(host: FakeHost, request: OpenRequest) {
    this.#host = host;
    this.request = request;
  }

  async attach(sink: Sink, transport: TransportKind): Promise<void> {
    this.sink = sink;
    this.transports.push(transport);
    await this.#host.onAttach(this);
  }

  receive(packet: ClientPacket): void {
    this.received.push(packet);
    if (packet.type !== 'event') return;
    if (packet.name === 'echo') this.sink.send(new EventPacket(packet.name, packet.argsJson));
    if (packet.id !== undefined) this.sink.send(ackPacket(packet.id, packet.args));
    if (packet.name === 'crash') throw new Error('a bug');
  }

  reject(error: HiveError): void {
    this.rejected.push(error);
    this.sink.send(new EventPacket('hive_error', JSON.stringify([error])));
  }

  resume(): void {}

  close(reason: CloseReason): void {
    this.closed.push(reason);
  }

  transport(kind: TransportKind): void {
    this.transports.push(kind);
  }
}

export class FakeHost implements SessionHost {
  readonly sessions: FakeSession[] = [];
  refusing: HiveError | undefined;
  wantsHandshakes = true;
  readonly recovery = undefined;
  onOpen: () => void | Promise<void> = () => {};
  onAttach: (session: FakeSession) => void | Promise<void> = () => {};

  refusal(): HiveError | undefined {
    return this.refusing;
  }

  async open(request: OpenRequest): Promise<FakeSession> {
    await this.onOpen();
    const session = new FakeSession(this, request);
    this.sessions.push(session);
    return session;
  }

  /** The only session, or the newest; waits for it. */
  async session(): Promise<FakeSession> {
    return eventually(() => this.sessions.at(-1), 'a session');
  }
}

/** The defaults, but for time-outs that no test waits for. */
const settings: ClientSettings = {
  hive: {
    name: 'test@127.0.0.1',
    host: '127.0.0.1',
    port: 0,
    mode: 'production',
    acceptors: 1,
    allowed_origins: ['http://good.example', '*.shop.example', null],
    max_client_slots: 1000,
    max_connections_per_address: 0,
    max_handshakes_per_address: 0,
    trusted_proxies: [],
    max_client_errors: 1000,
    graceful_termination_timeout: 1000,
    drain_rate: 500,
    direct_websocket: true,
    websocket_ping_timeout: 5000,
    cluster_name: 'test',
    cluster_cookie: 'test',
    cluster_nodes: [],
    cluster_port_min: 0,
    cluster_port_max: 0,
    cluster_max_queue: 1_000_000,
    cluster_resume: 60_000,
    cluster_max_frame: 1_000_000,
    cluster_max_depth: 512,
    cluster_max_elements: 4_194_304,
    cluster_max_atoms: 4096,
    epmd_port: 4369,
    net_ticktime: 60,
  },
  socketio: {
    path: '/socket.io',
    protocols: ['eio4', 'eio3', '0.9'],
    transports: ['websocket', 'flashsocket', 'xhr-polling'],
    namespaces: ['/'],
    connect_timeout: 20_000,
    ping_interval: 20_000,
    ping_timeout: 20_000,
    max_payload: 100_000,
    max_backpressure: 1_000_000,
    max_packets_per_second: 0,
    compression: false,
    init_timeout: 20_000,
    heartbeat_timeout: 15_000,
    reconnect_timeout: 20_000,
    poll_timeout: 20,
    session_timeout: 60_000,
  },
};

export interface TestServer {
  readonly port: number;
  readonly url: string;
  readonly host: FakeHost;
  readonly topics: Topics;
  readonly metrics: Metrics;
  readonly wheel: TimingWheel;
  /** What was logged as crashes. */
  readonly crashes: unknown[];
  /** Stops the server, which must leave no timer behind. */
  close(): Promise<void>;
}

/** @param parts its socket library, how its transport ids are made, its way to other nodes, and what its connections carry */
export async function startTestServer(
  change: SettingsChange = {},
  parts: Partial<Pick<ClientServerOptions, 'sockets' | 'newId' | 'relays' | 'newMessageLayer'>> = {},
): Promise<TestServer> {
  const config = { hive: { ...settings.hive, ...change.hive }, socketio: { ...settings.socketio, ...change.socketio } };
  const host = new FakeHost();
  const topics = new Topics();
  const metrics = new Metrics();
  const wheel = new TimingWheel();
  const crashes: unknown[] = [];
  const log = { ...silent, crash: (_message: string, fields: Record<string, unknown>) => crashes.push(fields.error) };
  const newId = () => randomBytes(16).toString('hex');
  const server = await startClientServer({ sockets, config, host, topics, newId, wheel, metrics, log, ...parts });
  const { port } = server;
  const close = async () => {
    await server.close();
    await eventually(() => wheel.pending === 0, 'the last timer');
  };
  return { port, url: `http://127.0.0.1:${port}`, host, topics, metrics, wheel, crashes, close };
}
