/** Many clients at once. */
import { clientFrame, opcodes } from './frames.mjs';
import { WsClient } from './ws-client.mjs';

/** Handshakes under way at a time: fewer than any server's backlog. */
const parallel = 50;

/** Connects clients, and has them join a room if one is given; resolves when the server has confirmed everything. */
export async function connectCrowd(count, targetOf, { room, guard, fail }) {
  const clients = [];
  let next = 0;
  const connectOne = async () => {
    while (next < count) {
      const index = next;
      next += 1;
      clients[index] = await guard(connectClient(targetOf(index), fail));
      if (room !== undefined) await guard(joinRoom(clients[index], room));
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, connectOne));
  return clients;
}

/** Connects clients that make their handshake by polling one server, and upgrade at another. */
export async function connectUpgrading(count, handshakeAt, upgradeAt, { guard, fail }) {
  const clients = [];
  for (let i = 0; i < count; i += 1) {
    const url = `http://${handshakeAt.host}:${handshakeAt.port}/socket.io/?EIO=4&transport=polling`;
    const packet = await guard(fetch(url).then((answer) => answer.text()));
    const { sid } = JSON.parse(packet.slice(1));
    clients.push(await guard(connectClient(upgradeAt, fail, sid)));
  }
  return clients;
}

function connectClient(target, fail, sid) {
  return new Promise((resolve) => {
    const client = new WsClient(target, { sid });
    client.onFault = fail;
    client.onReady = resolve;
  });
}

function joinRoom(client, room) {
  const text = `42${JSON.stringify(['join', room])}`;
  return new Promise((resolve, reject) => {
    client.onEvent = (bytes, start, end) => {
      const answer = bytes.latin1Slice(start, end);
      if (answer === text) resolve();
      else reject(new Error(`instead of ${text} came ${answer}`));
    };
    client.send(clientFrame(opcodes.text, text));
  });
}
