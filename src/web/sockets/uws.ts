/** A build of uWebSockets as a socket library. */

import type * as Uws from 'uWebSockets.js';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { HiveError } from '../../observe/errors.ts';
import type {
  Listening,
  Payload,
  RequestHandler,
  SocketApp,
  SocketBehavior,
  SocketLibrary,
  TlsFiles,
} from './types.ts';

/** What is used of the module. */
export type UwsModule = Pick<
  typeof Uws,
  'App' | 'SSLApp' | 'us_listen_socket_close' | 'us_socket_local_port' | 'SHARED_COMPRESSOR' | 'DISABLED'
>;

type NativeHandler = Parameters<Uws.TemplatedApp['any']>[1];

export function uwsLibrary(uws: UwsModule): SocketLibrary {
  return { createApp: (tls) => new UwsApp(uws, tls) };
}

class UwsApp implements SocketApp {
  readonly #uws: UwsModule;
  readonly #app: Uws.TemplatedApp;

  constructor(uws: UwsModule, tls: TlsFiles | undefined) {
    this.#uws = uws;
    if (!tls) {
      this.#app = uws.App();
      return;
    }
    const { cert_file, key_file, passphrase } = tls;
    checkTls(tls);
    this.#app = uws.SSLApp({ cert_file_name: cert_file, key_file_name: key_file, ...(passphrase && { passphrase }) });
  }

  post(pattern: '/*', handler: RequestHandler): void {
    this.#app.post(pattern, handler as NativeHandler);
  }

  any(pattern: '/*', handler: RequestHandler): void {
    this.#app.any(pattern, handler as NativeHandler);
  }

  ws<Data>(pattern: '/*', behavior: SocketBehavior<Data>): void {
    const { compression, ...rest } = behavior;
    const native = {
      ...rest,
      compression: compression ? this.#uws.SHARED_COMPRESSOR : this.#uws.DISABLED,
      closeOnBackpressureLimit: 1,
      // Every protocol has its own heartbeat.
      idleTimeout: 0,
      sendPingsAutomatically: false,
    };
    this.#app.ws<Data>(pattern, native as unknown as Uws.WebSocketBehavior<Data>);
  }

  listen(host: string, port: number): Promise<Listening> {
    return new Promise((resolve, reject) => {
      bindOf(this.#app)(host, port, exclusivePort, (socket) => {
        if (socket) resolve(new ListenSocket(this.#uws, socket));
        else reject(new HiveError('port_taken', `Cannot listen on ${host}:${port}: the port is taken or not allowed.`));
      });
    });
  }

  publish(topic: string, message: Payload, isBinary: boolean, compress: boolean): void {
    this.#app.publish(topic, message as Uws.RecognizedString, isBinary, compress);
  }

  numSubscribers(topic: string): number {
    return this.#app.numSubscribers(topic);
  }

  close(): void {
    (this.#app as Uws.TemplatedApp & { close(): void }).close();
  }
}

/** The library does not say what is wrong, or that anything is. */
function checkTls({ cert_file, key_file, passphrase }: TlsFiles): void {
  try {
    createSecureContext({ cert: readFileSync(cert_file), key: readFileSync(key_file), passphrase });
  } catch (error) {
    const reason = (error as Error).message;
    throw new HiveError('file_error', `TLS cannot be served with ${cert_file} and ${key_file}: ${reason}`, {
      cause: error,
    });
  }
}

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`, which the library declares in a place where it does not exist at run time. */
const exclusivePort = 1;

type Bind = (host: string, port: number, options: number, done: (socket: Uws.us_listen_socket | false) => void) => void;

/** The declared types let `listen` take a host or options; the function takes both. */
function bindOf(app: Uws.TemplatedApp): Bind {
  return app.listen.bind(app) as unknown as Bind;
}

class ListenSocket implements Listening {
  readonly port: number;
  readonly #uws: UwsModule;
  #socket: Uws.us_listen_socket | undefined;

  constructor(uws: UwsModule, socket: Uws.us_listen_socket) {
    this.#uws = uws;
    this.port = uws.us_socket_local_port(socket);
    this.#socket = socket;
  }

  stop(): void {
    if (this.#socket) this.#uws.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
  }
}
