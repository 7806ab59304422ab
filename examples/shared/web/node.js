/** The connection of a page to the one node of its example. */

const PAUSE_MS = 1000; // before we come back to a node that has sent us away

/**
 * Connects, and connects again whenever the connection ends. `linked(state, node)` is told the state: connecting, connected or
 * reconnecting.
 */
export async function connect(linked) {
  if (typeof window.io !== 'function') {
    throw new Error('the Socket.IO client is missing; run `make build` in the folder of Hive and reload this page.');
  }
  const [node] = await (await fetch('nodes')).json();
  linked('connecting', node);
  const socket = window.io(node.url, { transports: ['websocket', 'polling'], tryAllTransports: true });
  // The client reconnects by itself only if the connection broke: not after the server has ended or refused it.
  const comeBack = () => {
    if (!socket.active) setTimeout(() => socket.connect(), PAUSE_MS);
  };
  socket.on('connect', () => linked('connected', node));
  socket.on('connect_error', comeBack);
  socket.on('disconnect', () => {
    linked('reconnecting', node);
    comeBack();
  });
  return socket;
}
