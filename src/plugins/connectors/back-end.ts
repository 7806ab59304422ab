/** What the Hive Protocol hooks ask of a pool that leads to a back end, whatever carries it there. */

export interface BackEndRequest {
  /** GET sends nothing of the client. */
  readonly method: 'GET' | 'POST';
  /** HTTP: appended to the pool's `base_url` as it is. TCP: the endpoint of the frame. */
  readonly endpoint: string;
  /** JSON text. */
  readonly body?: string;
  /** Sent where there is a place for it: by HTTP as the header `Idempotency-Key`. */
  readonly idempotencyKey?: string;
  /** The asker will not look at the answer. */
  readonly async?: boolean;
}

export interface BackEndReply {
  /** HTTP status code; 200 where there is no such thing. */
  readonly status: number;
  /** Empty if the answer has none. */
  readonly body: string;
}
