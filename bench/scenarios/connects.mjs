/** d: clients connect, take part in the handshake of their protocol, and close properly, over and over. */
import { WsClient } from '../lib/ws-client.mjs';

/** Clients at a time. */
const parallel = 50;

export const connects = {
  name: 'connects',
  letter: 'd',
  title: 'Connects: WebSocket upgrade, handshake of the protocol, close',
  unit: 'connects',
  contestants: ['uws', 'socketio-uws', 'socketio-ws', 'ws', 'hive'],
  quick: ['uws', 'socketio-uws', 'hive'],
  targets: [{ of: 'hive', than: 'socketio-uws', atLeast: 1.3 }],
  async run(measurement) {
    const server = await measurement.start();
    const window = measurement.window();
    let begun = 0;
    let done = 0;
    let stopped = false;
    const begin = () => {
      begun += 1;
      const client = new WsClient(server.clients);
      client.onFault = window.fail;
      client.onReady = () => client.close();
      client.onClosed = () => {
        done += 1;
        if (!stopped) begin();
      };
    };
    for (let i = 0; i < parallel; i += 1) begin();
    return window.measure({
      count: () => done,
      pending: () => begun - done,
      stop: () => {
        stopped = true;
      },
    });
  },
};
