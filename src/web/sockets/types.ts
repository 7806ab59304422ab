/**
 * The seam to whatever holds the sockets. A socket library is a native build of uWebSockets or Node's own `http` with `ws`;
 * the rest of the web layer sees only what is declared here, in the manner of uWebSockets, whose rules hold for all:
 *
 * - a request is valid until its handler returns;
 * - a response must not be touched after it was answered or aborted (see `defer` and `send` in `../http/http.ts`);
 * - bytes that come in are valid during the call only;
 * - a handler must not throw.
 */

/** What can be sent: text as UTF-8, or bytes. */
export type Payload = string | ArrayBuffer | ArrayBufferView;

/** The PEM files of a server that speaks TLS. */
export interface TlsFiles {
  readonly cert_file: string;
  readonly key_file: string;
  readonly passphrase?: string | undefined;
}

export interface SocketLibrary {
  /** @throws HiveError `file_error` if the certificate or its key cannot be used */
  /** @param mayBeProxied whether connections may begin with the PROXY protocol; native libraries read it from everybody */
  createApp(tls?: TlsFiles, mayBeProxied?: boolean): SocketApp;
}

export type RequestHandler = (res: SocketResponse, req: SocketRequest) => void;

/** One server, on one port. Handlers are set before it listens. */
export interface SocketApp {
  /** Takes every POST. */
  post(pattern: '/*', handler: RequestHandler): unknown;
  /** Takes every other request that asks for no WebSocket. */
  any(pattern: '/*', handler: RequestHandler): unknown;
  /** Takes every request for a WebSocket. */
  ws<Data>(pattern: '/*', behavior: SocketBehavior<Data>): unknown;
  /**
   * Listens with an exclusive port: without that, two nodes could share one silently.
   * @throws HiveError (rejection) `port_taken`
   */
  listen(host: string, port: number): Promise<Listening>;
  /** Sends to all subscribers of a topic, in order with what is sent to single sockets. */
  publish(topic: string, message: Payload, isBinary: boolean, compress: boolean): unknown;
  numSubscribers(topic: string): number;
  /** Runs the upgrade of a request whose handler has returned. */
  late(upgrade: () => void): void;
  /** Closes every connection at once. */
  close(): void;
}

export interface Listening {
  /** The real port, where 0 was asked for. */
  readonly port: number;
  /** Stops accepting connections; open ones live on. Idempotent. */
  stop(): void;
  /** Stops until `resume`. Who tries to connect meanwhile is refused. Idempotent. */
  pause(): void;
  /**
   * Accepts connections again, unless it was stopped. Idempotent.
   * @throws HiveError (rejection) `port_taken` if somebody else listens there by now; the native libraries also while
   *   connections are open, where 0 was asked for
   */
  resume(): Promise<void>;
}

export interface SocketRequest {
  /** The path, without the query. */
  getUrl(): string;
  /** The raw query string; with a key, that parameter, decoded. Undefined or empty where there is none. */
  getQuery(): string | undefined;
  getQuery(key: string): string | undefined;
  /** In lower case. */
  getMethod(): string;
  /** @param name in lower case; empty if the request has no such header */
  getHeader(name: string): string;
  /** Every header, its name in lower case. */
  forEach(callback: (name: string, value: string) => void): void;
}

export interface SocketResponse {
  /** Called once if the client goes away before the answer; never after it. */
  onAborted(handler: () => void): unknown;
  /** The body, in one or more chunks. */
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): unknown;
  /** No more of the body is read, beyond what has arrived, until `resume`. */
  pause(): unknown;
  resume(): unknown;
  /** Everything written within leaves as one piece. */
  cork(callback: () => void): unknown;
  /** Status code and reason; 200 unless set. */
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string): unknown;
  end(body?: Payload, closeConnection?: boolean): unknown;
  /** Ends the answer to HEAD (RFC 9110 §9.3.2); a `Content-Length` has to be written before. */
  endWithoutBody(): unknown;
  /** The client's address as text in bytes, as seen by the socket. */
  getRemoteAddressAsText(): ArrayBuffer;
  /** Whom the head of the connection names in the PROXY protocol, whoever has written it; empty if there was none. */
  getProxiedRemoteAddressAsText?(): ArrayBuffer;
}

/** The answer to a request for a WebSocket: the socket itself, or a refusal as to any other request. */
export interface UpgradeResponse extends SocketResponse {
  /** @param context what the upgrade handler was given */
  upgrade<Data>(data: Data, key: string, protocol: string, extensions: string, context: unknown): unknown;
}

export interface SocketBehavior<Data> {
  /** Bytes of one message; a socket that exceeds it is dropped. */
  readonly maxPayloadLength: number;
  /** Bytes that may wait for one socket; one that would exceed it is dropped. */
  readonly maxBackpressure: number;
  /** Whether messages are compressed where sender and client want it (RFC 7692). */
  readonly compression: boolean;
  readonly upgrade: (res: UpgradeResponse, req: SocketRequest, context: unknown) => void;
  readonly open: (socket: WebSocket<Data>) => void;
  /** Text that is known to be UTF-8 may come as the string that it stands for. */
  readonly message: (socket: WebSocket<Data>, data: ArrayBuffer | string, isBinary: boolean) => void;
  readonly ping: () => void;
  readonly pong: (socket: WebSocket<Data>) => void;
  /** What had piled up has left, or some of it. */
  readonly drain: (socket: WebSocket<Data>) => void;
  /** The socket is gone, because a message exceeded `maxPayloadLength` or for any other reason. */
  readonly close: (socket: WebSocket<Data>, messageTooBig: boolean) => void;
}

export interface WebSocket<Data> {
  /** @returns 1: it is on its way, 0: it waits behind other data, 2: it was dropped */
  send(message: Payload, isBinary?: boolean, compress?: boolean): number;
  ping(): unknown;
  /** Closes it with the closing handshake of RFC 6455 §7. */
  end(code?: number, message?: string): unknown;
  /** Drops it. */
  close(): unknown;
  /** Bytes that wait for the client. */
  getBufferedAmount(): number;
  getUserData(): Data;
  subscribe(topic: string): unknown;
  unsubscribe(topic: string): unknown;
  isSubscribed(topic: string): boolean;
  getTopics(): string[];
}
