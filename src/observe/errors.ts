/**
 * The error catalogue: every code that a client, a back end or an operator can meet, in one place.
 *
 * A code is stable and part of the interface (docs/errors.md lists them for users). `status` is the HTTP status of an
 * answer that carries the code; `text` is the description when nothing more precise is known. Codes that never appear in an
 * HTTP answer have the status that fits best.
 *
 * Source: the 2014 codes keep their names, so that back ends that match on them keep working.
 */
import { asError } from './thrown.ts';

export const catalogue = {
  // What clients do
  bad_request: { status: 400, text: 'The request is invalid.' },
  bad_packet: { status: 400, text: 'The packet is malformed.' },
  bad_external_event: { status: 400, text: 'The event does not match the external event schema.' },
  bad_session_id: { status: 404, text: 'No such session.' },
  client_suspended: { status: 409, text: 'The client has lost its connection.' },
  client_error: { status: 400, text: 'The client sent something that is not allowed.' },
  too_many_requests: { status: 429, text: 'Too many connections or handshakes from this address.' },
  payload_too_large: { status: 413, text: 'The payload is too large.' },
  too_many_errors: { status: 429, text: 'Too many events of this client have failed.' },
  // What happens to clients
  router_error: { status: 503, text: 'New connections are not being accepted.' },
  no_slots: { status: 503, text: 'All client slots are taken.' },
  stopped: { status: 410, text: 'The session was stopped.' },
  internal_error: { status: 500, text: 'Something went wrong.' },
  // HTTP API and monitor
  bad_api_request: { status: 400, text: 'The API request is invalid.' },
  idempotency_key_reused: { status: 422, text: 'The idempotency key belongs to another call.' },
  idempotency_uncertain: { status: 409, text: 'It is not known whether the call has been carried out.' },
  bad_monitor_request: { status: 400, text: 'The monitor request is invalid.' },
  // Back ends' answers
  invalid_json: { status: 400, text: 'The text is not JSON.' },
  bad_internal_event: { status: 400, text: 'The event does not match the internal event schema.' },
  // Hooks, actions, plugins
  plugins_error: { status: 400, text: 'No such plugin.' },
  bad_hook_descriptor: { status: 400, text: 'The hook descriptor is malformed.' },
  bad_connector_descriptor: { status: 400, text: 'The connector descriptor is malformed.' },
  bad_config: { status: 400, text: 'The plugin rejects its arguments.' },
  no_config: { status: 400, text: 'The named connector pool does not exist.' },
  limit_exceeded: { status: 400, text: 'A configured limit has been reached.' },
  dispatch_too_deep: { status: 400, text: 'Events dispatch each other too deeply.' },
  // Connectors
  bad_http_connector_args: { status: 400, text: 'The arguments of connector.http are invalid.' },
  bad_tcp_connector_args: { status: 400, text: 'The arguments of connector.tcp are invalid.' },
  bad_redis_connector_args: { status: 400, text: 'The arguments of connector.redis are invalid.' },
  connectors_error: { status: 500, text: 'The connector pool could not be started.' },
  connector_error: { status: 503, text: 'No worker of the connector pool is free.' },
  bad_connector_id: { status: 404, text: 'No such connector pool.' },
  http_error: { status: 502, text: 'The HTTP back end failed.' },
  tcp_error: { status: 502, text: 'The TCP back end failed.' },
  redis_error: { status: 502, text: 'Redis failed.' },
  // Pub-sub
  bad_channel_id: { status: 400, text: 'No channel template has this prefix.' },
  unknown_channel_id: { status: 404, text: 'No such channel.' },
  access_denied: { status: 403, text: 'The privilege is too low for this channel.' },
  pubsub_error: { status: 500, text: 'The channel could not be started.' },
  // Cluster
  cluster_error: { status: 503, text: 'The other node did not answer.' },
  name_taken: { status: 409, text: 'Another node with this name is running.' },
  // Configuration
  invalid_config: { status: 400, text: 'The configuration is invalid.' },
  file_missing: { status: 400, text: 'The file does not exist.' },
  file_error: { status: 400, text: 'The file cannot be read.' },
  schema_not_found: { status: 400, text: 'No such configuration section.' },
  port_taken: { status: 500, text: 'The node cannot listen on the port.' },
  not_answering: { status: 500, text: 'A server of the node does not answer.' },
  sockets_unavailable: { status: 500, text: 'No socket library can be loaded.' },
  timeout: { status: 504, text: 'There was no answer in time.' },
  overloaded: { status: 503, text: 'Too many messages are waiting.' },
  not_running: { status: 503, text: 'The part of the server that should answer is not running.' },
  crashed: { status: 500, text: 'The part of the server that should answer has crashed.' },
  already_present: { status: 409, text: 'A child with this id already exists.' },
  not_found: { status: 404, text: 'No such child.' },
  running: { status: 409, text: 'The child is running.' },
  restarting: { status: 409, text: 'The child is being restarted.' },
  already_started: { status: 409, text: 'Something with this name is already running.' },
  hive_error: { status: 500, text: 'The server failed.' },
} as const satisfies Record<string, { status: number; text: string }>;

export type ErrorCode = keyof typeof catalogue;

/**
 * An expected failure. It is part of the protocol: it reaches the client, back end or operator as `{error, description}`
 * and crashes nobody. Programming errors are ordinary `Error`s and crash the actor that made them.
 */
export class HiveError extends Error {
  readonly code: ErrorCode;
  readonly #summary: string | undefined;

  /** @param options.summary the description without what it shows of somebody's data */
  constructor(code: ErrorCode, description?: string, options: { cause?: unknown; summary?: string } = {}) {
    const { summary, ...rest } = options;
    // A plugin in JavaScript may have made it up; the status of an answer depends on it.
    if (!Object.hasOwn(catalogue, code)) throw new TypeError(`HiveError: there is no error code ${String(code)}`);
    super(description ?? catalogue[code].text, rest);
    this.name = 'HiveError';
    this.code = code;
    this.#summary = summary;
  }

  /** What the log may say at any level; the whole message, where it shows what somebody sent, only at `debug`. */
  get summary(): string {
    return this.#summary ?? this.message;
  }

  get status(): number {
    return catalogue[this.code].status;
  }

  /** The body of an HTTP error answer and the argument of a `hive_error` event. */
  toJSON(): { error: ErrorCode; description: string } {
    return { error: this.code, description: this.message };
  }
}

/** Any thrown thing as a HiveError: itself, or `code` with the thing as cause. */
export function toHiveError(thrown: unknown, code: ErrorCode = 'internal_error'): HiveError {
  const cause = asError(thrown);
  if (cause instanceof HiveError) return cause;
  return new HiveError(code, cause.message, { cause });
}
