/** The two events of clients that servers without a protocol of their own know: `42["join","room"]`, and whatever is echoed. */

const join = Buffer.from('42["join","');

/** The room that a client wants to join; undefined if that is not what it says. */
export function joinRoom(bytes) {
  // The third character of the name tells apart what the measurements send, before anything is compared.
  if (bytes[4] !== join[4] || bytes.compare(join, 0, join.length, 0, join.length) !== 0) return undefined;
  return bytes.latin1Slice(join.length, bytes.length - 2);
}
