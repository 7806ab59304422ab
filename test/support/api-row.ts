/** One request to the HTTP API, and what it must bring. */

export interface Row {
  readonly title: string;
  readonly method: string;
  /** Below `/api/<key>/`; `SID` stands for the client's session id. */
  readonly path: string;
  readonly body?: unknown;
  readonly status: number;
  /** The code of the error; absent in success. */
  readonly error?: string;
  /** The body, of JSON or text; empty by default. `SID` stands for the client's session id, `NOW` for when it connected. */
  readonly answer?: unknown;
  /** The `Allow` header. */
  readonly allow?: string;
}

export const say = (text: string) => ({ action: 'send', args: { name: 'said', args: [text] } });
/** A session id that no client has. */
export const nobody = 'x'.repeat(40);

export const alone = { nodes: ['hive@127.0.0.1'], missing: [] };
/** The client of the table. */
export const listed = { sid: 'SID', user: null, node: 'hive@127.0.0.1', connected_at: 'NOW', suspended: false };
export const channelOfOne = (channel: string) => ({ channel, subscribed_clients: 1, published: 0 });
