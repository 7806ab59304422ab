// @ts-check
/**
 * Spans for the hooks and pool requests of a node, made from its events (docs/events.md).
 *
 *   hook span ──parent of──▶ pool request span ──`traceparent`──▶ spans of the back end
 *
 * Needs nothing but the API of OpenTelemetry: telemetry.js, or an SDK of yours, says where spans go.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { tracingChannel } from 'node:diagnostics_channel';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * @typedef {import('@opentelemetry/api').Context} Context
 * @typedef {import('@opentelemetry/api').SpanOptions} SpanOptions
 * @typedef {import('hive-push').HookEvent} HookEvent
 * @typedef {import('hive-push').PoolRequestEvent} PoolRequestEvent
 */

const tracer = trace.getTracer('hive');

/**
 * The context of the hook or request that runs.
 * @type {AsyncLocalStorage<Context>}
 */
const storage = new AsyncLocalStorage();

/**
 * Makes spans of a tracing channel: from `start` to `asyncEnd`, or to `end` for what does not wait.
 * @template {HookEvent | PoolRequestEvent} Event
 * @param {string} channel
 * @param {(event: Event) => { name: string } & SpanOptions} describe
 * @param {(event: Event, context: Context) => void} [begun]
 */
function traceSpans(channel, describe, begun) {
  /** @type {WeakMap<object, import('@opentelemetry/api').Span>} */
  const spans = new WeakMap();
  const { start, end, asyncEnd } = tracingChannel(channel);

  start.bindStore(storage, (record) => {
    const event = /** @type {Event} */ (record);
    const { name, ...options } = describe(event);
    const parent = storage.getStore() ?? context.active();
    const span = tracer.startSpan(name, options, parent);
    spans.set(event, span);
    const inside = trace.setSpan(parent, span);
    begun?.(event, inside);
    return inside;
  });

  /** @param {Event} event */
  const finish = (event) => {
    const span = spans.get(event);
    if (!span) return; // it had begun before anybody subscribed
    if ('attempts' in event) span.setAttribute('hive.attempts', event.attempts);
    if (event.error) {
      const { code, summary } = event.error;
      span.setAttribute('error.type', code).setStatus({ code: SpanStatusCode.ERROR, message: summary });
    }
    span.end();
  };
  end.subscribe((record) => {
    const event = /** @type {Event} */ (record);
    if (!event.waits) finish(event);
  });
  asyncEnd.subscribe((record) => finish(/** @type {Event} */ (record)));
}

traceSpans('hive:hook', (/** @type {HookEvent} */ { node, sid, namespace, event, hook, position }) => ({
  name: `${event} ${hook}`,
  kind: SpanKind.INTERNAL,
  attributes: {
    'hive.node': node,
    'hive.sid': sid,
    'hive.namespace': namespace,
    'hive.event': event,
    'hive.hook': hook,
    'hive.position': position,
  },
}));

traceSpans(
  'hive:pool_request',
  (/** @type {PoolRequestEvent} */ { node, pool, connector }) => ({
    name: `request ${pool}`,
    kind: SpanKind.CLIENT,
    attributes: { 'hive.node': node, 'hive.pool': pool, 'hive.connector': connector },
  }),
  ({ headers }, inside) => propagation.inject(inside, headers, { set: (to, name, value) => to.set(name, value) }),
);

/**
 * A context manager for OpenTelemetry: with it, spans that hooks of yours begin are children of the hook's span.
 * @type {import('@opentelemetry/api').ContextManager}
 */
export const contextManager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (within, run, self, ...args) => storage.run(within, () => run.call(/** @type {any} */ (self), ...args)),
  bind(within, target) {
    if (typeof target !== 'function') return target;
    /** @type {any} */
    const bound = (/** @type {unknown[]} */ ...args) => storage.run(within, () => target(...args));
    return bound;
  },
  enable: () => contextManager,
  disable: () => contextManager,
};
