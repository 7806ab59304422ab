/** Engine.IO's own error codes and texts. */
export const faults = {
  transport: { code: 0, message: 'Transport unknown' },
  jsonp: { code: 0, message: 'JSONP polling is not served: use XHR polling or WebSockets' },
  session: { code: 1, message: 'Session ID unknown' },
  method: { code: 2, message: 'Bad handshake method' },
  request: { code: 3, message: 'Bad request' },
  version: { code: 5, message: 'Unsupported protocol version' },
} as const;

export type Fault = (typeof faults)[keyof typeof faults];
