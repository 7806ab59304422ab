/**
 * Corks for upgrades that come after their request's handler has returned. At the end of its own cork a response looks at what
 * the request was, in memory that the WebSocket has taken over meanwhile, and may close the socket for what it reads there
 * (20.57). While another response is corked it has none of its own; so there is one that is never answered, to a connection of
 * this process to itself.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { SocketResponse } from './types.ts';
import type { UwsModule } from './uws-module.ts';

const host = '127.0.0.1';

export class LateCork {
  #held: SocketResponse | undefined;
  #client: Socket | undefined;

  /** Resolves when it can be used. @throws Error (rejection) if this process cannot connect to itself */
  async open(uws: UwsModule): Promise<void> {
    const app = uws.App();
    let arrived = (): void => {};
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    app.any('/*', (res) => {
      res.onAborted(() => {
        if (this.#held === res) this.#held = undefined;
      });
      this.#held = res;
      arrived();
    });
    const listening = await new Promise<object>((resolve, reject) => {
      app.listen(host, 0, 1, (socket) => (socket ? resolve(socket) : reject(new Error(`nothing listens on ${host}`))));
    });
    const client = connect(uws.us_socket_local_port(listening), host);
    this.#client = client;
    try {
      await once(client, 'connect');
      // Its end is noticed by the response.
      client.on('error', () => {}).unref();
      client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await arrival;
    } finally {
      uws.us_listen_socket_close(listening);
    }
  }

  run(upgrade: () => void): void {
    if (this.#held) this.#held.cork(upgrade);
    else upgrade();
  }

  close(): void {
    this.#client?.destroy();
  }
}
