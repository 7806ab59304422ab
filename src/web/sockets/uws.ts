/** A build of uWebSockets as a socket library. */

import { HiveError } from '../../observe/errors.ts';
import { readTls } from './tls.ts';
import type {
  Listening,
  Payload,
  RequestHandler,
  SocketApp,
  SocketBehavior,
  SocketLibrary,
  TlsFiles,
  WebSocket,
} from './types.ts';

/** What is used of the module, of which no version's types have it all. */
export interface UwsModule {
  App(): UwsNativeApp;
  SSLApp(options: { cert_file_name: string; key_file_name: string; passphrase?: string }): UwsNativeApp;
  us_listen_socket_close(socket: UwsListenSocket): void;
  us_socket_local_port(socket: UwsListenSocket): number;
  readonly SHARED_COMPRESSOR: number;
  readonly DISABLED: number;
}

interface UwsNativeApp extends Pick<SocketApp, 'post' | 'any' | 'publish' | 'numSubscribers' | 'close'> {
  ws<Data>(pattern: string, behavior: UwsBehavior<Data>): unknown;
  listen(host: string, port: number, options: number, done: (socket: UwsListenSocket | false) => void): unknown;
}

interface UwsBehavior<Data> extends Omit<SocketBehavior<Data>, 'compression' | 'close'> {
  close(socket: WebSocket<Data>, code: number, message: ArrayBuffer): void;
  readonly compression: number;
  readonly closeOnBackpressureLimit: 1;
  /** Seconds; 0: none. */
  readonly idleTimeout: number;
  readonly sendPingsAutomatically: boolean;
}

/** A pointer to what the library holds. */
type UwsListenSocket = object;

export function uwsLibrary(uws: UwsModule): SocketLibrary {
  return { createApp: (tls) => new UwsApp(uws, tls) };
}

class UwsApp implements SocketApp {
  readonly #uws: UwsModule;
  readonly #app: UwsNativeApp;

  constructor(uws: UwsModule, tls: TlsFiles | undefined) {
    this.#uws = uws;
    if (!tls) {
      this.#app = uws.App();
      return;
    }
    const { cert_file, key_file, passphrase } = tls;
    readTls(tls);
    this.#app = uws.SSLApp({ cert_file_name: cert_file, key_file_name: key_file, ...(passphrase && { passphrase }) });
  }

  post(pattern: '/*', handler: RequestHandler): void {
    this.#app.post(pattern, handler);
  }

  any(pattern: '/*', handler: RequestHandler): void {
    this.#app.any(pattern, handler);
  }

  ws<Data>(pattern: '/*', behavior: SocketBehavior<Data>): void {
    const { compression, close, ...rest } = behavior;
    this.#app.ws<Data>(pattern, {
      ...rest,
      close: (socket, code, message) => close(socket, isTooBig(code, message)),
      compression: compression ? this.#uws.SHARED_COMPRESSOR : this.#uws.DISABLED,
      closeOnBackpressureLimit: 1,
      // Every protocol has its own heartbeat.
      idleTimeout: 0,
      sendPingsAutomatically: false,
    });
  }

  listen(host: string, port: number): Promise<Listening> {
    return new Promise((resolve, reject) => {
      this.#app.listen(host, port, exclusivePort, (socket) => {
        if (socket) resolve(new ListenSocket(this.#uws, socket));
        else reject(new HiveError('port_taken', `Cannot listen on ${host}:${port}: the port is taken or not allowed.`));
      });
    });
  }

  publish(topic: string, message: Payload, isBinary: boolean, compress: boolean): void {
    this.#app.publish(topic, message, isBinary, compress);
  }

  numSubscribers(topic: string): number {
    return this.#app.numSubscribers(topic);
  }

  close(): void {
    this.#app.close();
  }
}

/** The library drops such a socket, and says why only here. */
function isTooBig(code: number, message: ArrayBuffer): boolean {
  return code === 1006 && Buffer.from(message).toString('latin1').startsWith('Received too big message');
}

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`, which the library declares in a place where it does not exist at run time. */
const exclusivePort = 1;

class ListenSocket implements Listening {
  readonly port: number;
  readonly #uws: UwsModule;
  #socket: UwsListenSocket | undefined;

  constructor(uws: UwsModule, socket: UwsListenSocket) {
    this.#uws = uws;
    this.port = uws.us_socket_local_port(socket);
    this.#socket = socket;
  }

  stop(): void {
    if (this.#socket) this.#uws.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }
}
