/** A build of uWebSockets as a socket library. */

import { framed } from './framing.ts';
import { hasLargeHead } from './head-limit.ts';
import { type ListenSocket, PausableListening } from './listening.ts';
import { refusedPort } from './refused-port.ts';
import { readTls } from './tls.ts';
import type {
  Listening,
  Payload,
  RequestHandler,
  SocketApp,
  SocketBehavior,
  SocketLibrary,
  SocketResponse,
  TlsFiles,
} from './types.ts';
import { LateCork } from './uws-cork.ts';
import type { UwsModule, UwsNativeApp } from './uws-module.ts';

/** @param isNew a build of 2025 or later, of which some need a LateCork */
export function uwsLibrary(uws: UwsModule, isNew: boolean): SocketLibrary {
  uws._cfg?.('silent');
  return { createApp: (tls) => new UwsApp(uws, isNew, tls) };
}

class UwsApp implements SocketApp {
  readonly #uws: UwsModule;
  readonly #app: UwsNativeApp;
  readonly #isNew: boolean;
  #lateCork: LateCork | undefined;

  constructor(uws: UwsModule, isNew: boolean, tls: TlsFiles | undefined) {
    this.#isNew = isNew;
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
    this.#app.post(pattern, framed(handler));
  }

  any(pattern: '/*', handler: RequestHandler): void {
    this.#app.any(pattern, framed(handler));
  }

  ws<Data>(pattern: '/*', behavior: SocketBehavior<Data>): void {
    if (this.#isNew) this.#lateCork = new LateCork();
    const { compression, upgrade, close, ...rest } = behavior;
    this.#app.ws<Data>(pattern, {
      ...rest,
      upgrade: (res, req, context) => {
        if (req.getHeader('sec-websocket-version') !== version) refuseVersion(res);
        else if (!this.#isNew && hasLargeHead(req)) refuseHead(res);
        else upgrade(res, req, context);
      },
      close: (socket, code, message) => close(socket, isTooBig(code, message)),
      compression: compression ? this.#uws.SHARED_COMPRESSOR : this.#uws.DISABLED,
      closeOnBackpressureLimit: 1,
      // Every protocol has its own heartbeat.
      idleTimeout: 0,
      sendPingsAutomatically: false,
    });
  }

  async listen(host: string, port: number): Promise<Listening> {
    const uws = this.#uws;
    const open = (at: number) =>
      new Promise<ListenSocket>((resolve, reject) => {
        this.#app.listen(host, at, exclusivePort, (socket) => {
          if (socket) {
            resolve({ port: uws.us_socket_local_port(socket), close: () => uws.us_listen_socket_close(socket) });
          } else {
            void refusedPort(host, at).then(reject);
          }
        });
      });
    const listening = await PausableListening.start(open, port);
    await this.#lateCork?.open(uws);
    return listening;
  }

  publish(topic: string, message: Payload, isBinary: boolean, compress: boolean): void {
    this.#app.publish(topic, message, isBinary, compress);
  }

  numSubscribers(topic: string): number {
    return this.#app.numSubscribers(topic);
  }

  late(upgrade: () => void): void {
    if (this.#lateCork) this.#lateCork.run(upgrade);
    else upgrade();
  }

  close(): void {
    this.#lateCork?.close();
    this.#app.close();
  }
}

/** The only one of RFC 6455, which wants others refused (§4.4). */
const version = '13';

function refuseVersion(res: SocketResponse): void {
  res.writeStatus('426 Upgrade Required');
  res.writeHeader('Sec-WebSocket-Version', version);
  res.writeHeader('Upgrade', 'websocket');
  res.end('', true);
}

function refuseHead(res: SocketResponse): void {
  res.writeStatus('431 Request Header Fields Too Large');
  res.end('', true);
}

/** The library drops such a socket, and says why only here. */
function isTooBig(code: number, message: ArrayBuffer): boolean {
  return code === 1006 && Buffer.from(message).toString('latin1').startsWith('Received too big message');
}

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`, which the library declares in a place where it does not exist at run time. */
const exclusivePort = 1;
