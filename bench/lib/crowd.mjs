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

export function connectClient(target, fail) {
  return new Promise((resolve) => {
    const client = new WsClient(target);
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
