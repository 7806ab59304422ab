import type { SocketApp, SocketBehavior, WebSocket } from './types.ts';

/** What is used of the module, of which no version's types have it all. */
export interface UwsModule {
  App(): UwsNativeApp;
  SSLApp(options: { cert_file_name: string; key_file_name: string; passphrase?: string }): UwsNativeApp;
  us_listen_socket_close(socket: UwsListenSocket): void;
  us_socket_local_port(socket: UwsListenSocket): number;
  /** In no version's types: `silent` leaves out the header that names the library. */
  _cfg?(setting: 'silent'): void;
  readonly SHARED_COMPRESSOR: number;
  readonly DISABLED: number;
}

export interface UwsNativeApp extends Pick<SocketApp, 'post' | 'any' | 'publish' | 'numSubscribers' | 'close'> {
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
