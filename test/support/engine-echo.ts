/** What the suites of Engine.IO want above a connection: every message comes back as it is. */
import type { EngineConnection } from '../../src/web/client/engine/connection.ts';
import type { NewMessageLayer } from '../../src/web/client/engine/host.ts';
import type { MessageLayer } from '../../src/web/client/engine/message-layer.ts';

class EngineEcho implements MessageLayer {
  readonly isEmpty = true;
  readonly #connection: EngineConnection;

  constructor(connection: EngineConnection) {
    this.#connection = connection;
  }

  receiveText(packet: string): void {
    this.#connection.write(packet);
  }

  receiveBinary(data: Buffer): undefined {
    const { dialect, socket, polls } = this.#connection;
    const frame = dialect.protocol === 'eio3' ? Buffer.concat([Buffer.from([4]), data]) : data;
    if (socket) {
      socket.send(frame, true);
    } else if (polls) {
      // In Socket.IO bytes only ever go out behind a text; so they do in the suites.
      const queued = polls.take();
      const text = queued.pop() as string;
      for (const packet of queued) polls.push(packet as string);
      polls.push({ text, frames: [frame], length: text.length + frame.length });
    }
  }

  start(): void {}
  upgraded(): void {}
  remove(): void {}
  close(): void {}
  [Symbol.dispose](): void {}
}

export const newEcho: NewMessageLayer = (_host, connection) => new EngineEcho(connection as EngineConnection);
