/** The example of OpenTelemetry: its spans, with a real back end, and its README as a reader runs it. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { BackEnd } from '../support/back-end.ts';
import { startEventNode } from '../support/event-node.ts';
import { eventually } from '../support/eventually.ts';
import { Example } from '../support/example.ts';
import { missing } from '../support/programs.ts';
import { SocketClient } from '../support/socket-clients.ts';

const exporter = new InMemorySpanExporter();
// @ts-expect-error it is JavaScript, checked by test/e2e/plugin-types.test.ts
const { contextManager } = await import('../../examples/opentelemetry/spans.js');
context.setGlobalContextManager(contextManager);
propagation.setGlobalPropagator(new W3CTraceContextPropagator());
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));

async function stage(t: TestContext) {
  exporter.reset();
  const backEnd = await BackEnd.start();
  t.after(() => backEnd.stop());
  const node = await startEventNode(t, (config) => {
    const args = { connector: 'backend', endpoint: '/ask' };
    Object.assign(config.clients!.hooks as object, {
      ask: [{ hook: 'hp.post', args }],
      both: [
        { hook: 'hp.get', args: { ...args, endpoint: '/first' } },
        { hook: 'hp.get', args: { ...args, endpoint: '/second' } },
      ],
      away: [{ hook: 'events.away', args: 1 }],
      echo: [{ hook: 'utils.echo', args: null }],
      span: [{ hook: 'events.span', args: null }],
    });
    Object.assign(config.connectors!.pools as object, {
      backend: {
        connector: 'connector.http',
        size: 2,
        overflow: 0,
        args: { base_url: backEnd.url, max_connection_timeout: 5000 },
      },
    });
  });
  const client = await SocketClient.connect('4.8 websocket', node.url);
  t.after(() => client.disconnect());
  const spans = (count: number): Promise<ReadableSpan[]> =>
    eventually(() => {
      const finished = exporter.getFinishedSpans();
      return finished.length >= count ? finished : undefined;
    }, `${count} spans`);
  return { backEnd, client, spans, node };
}

/** What a back end is told of a span. */
function traceparent(span: ReadableSpan): string {
  const { traceId, spanId } = span.spanContext();
  return `00-${traceId}-${spanId}-01`;
}

test('a request is the child of its hook, and the back end gets its context', async (t) => {
  const { backEnd, client, spans, node } = await stage(t);
  client.emit('ask');
  const [request, hook, ...others] = await spans(2);
  assert.deepEqual(others, []);
  assert.deepEqual([request!.name, request!.kind], ['request backend', SpanKind.CLIENT]);
  assert.deepEqual([hook!.name, hook!.kind], ['ask hp.post', SpanKind.INTERNAL]);
  assert.equal(hook!.parentSpanContext, undefined);
  assert.equal(request!.parentSpanContext?.spanId, hook!.spanContext().spanId);
  assert.equal(request!.spanContext().traceId, hook!.spanContext().traceId);
  assert.equal((await backEnd.request('/ask')).headers.traceparent, traceparent(request!));
  assert.deepEqual(request!.attributes, {
    'hive.node': node.name,
    'hive.pool': 'backend',
    'hive.connector': 'connector.http',
    'hive.attempts': 1,
  });
  assert.deepEqual(
    [request, hook].map((span) => span!.status.code),
    [SpanStatusCode.UNSET, SpanStatusCode.UNSET],
  );
});

test('hooks of one event have spans of their own, and so have hooks that do not wait', async (t) => {
  const { backEnd, client, spans } = await stage(t);
  client.emit('both');
  client.emit('echo');
  const all = await spans(5);
  const gets = all.filter(({ name }) => name === 'both hp.get');
  const requests = all.filter(({ name }) => name === 'request backend');
  assert.equal(new Set(all.map((span) => span.spanContext().traceId)).size, 3);
  for (const [at, path] of ['/first', '/second'].entries()) {
    assert.equal(gets[at]!.attributes['hive.position'], at);
    assert.equal(requests[at]!.parentSpanContext?.spanId, gets[at]!.spanContext().spanId);
    assert.equal((await backEnd.request(path)).headers.traceparent, traceparent(requests[at]!));
  }
  assert.ok(all.some(({ name }) => name === 'echo utils.echo'));
});

test('failures and further tries are told', async (t) => {
  const { backEnd, client, spans } = await stage(t);
  backEnd.answers.set('/ask', { status: 503 });
  client.emit('ask');
  client.emit('away');
  const [answered, failed, retried] = await spans(4);
  assert.equal(answered!.status.code, SpanStatusCode.UNSET);
  assert.deepEqual(failed!.status, {
    code: SpanStatusCode.ERROR,
    message: 'The back end answered /ask with 503.',
  });
  assert.equal(failed!.attributes['error.type'], 'http_error');
  assert.deepEqual([retried!.name, retried!.attributes['hive.attempts']], ['request away', 2]);
});

test('a span that a hook begins is the child of the hook', async (t) => {
  const { client, spans } = await stage(t);
  client.emit('span');
  const [own, hook] = await spans(2);
  assert.deepEqual([own!.name, hook!.name], ['own', 'span events.span']);
  assert.equal(own!.parentSpanContext?.spanId, hook!.spanContext().spanId);
});

const root = fileURLToPath(new URL('../..', import.meta.url));

test('the commands of the README print a context and the spans to it', { skip: missing('make') }, async (t) => {
  const example = await Example.prepare('opentelemetry');
  t.after(() => example.stop());
  const [install, backend, run, greet] = example.commands;
  assert.match(install!, /^npm --prefix examples\/opentelemetry install$/);
  // What npm would make of package.json, without the registry.
  const packages = join(example.folder, 'examples/opentelemetry/node_modules');
  mkdirSync(packages);
  symlinkSync(example.folder, join(packages, 'hive-push'));
  symlinkSync(join(root, 'node_modules/@opentelemetry'), join(packages, '@opentelemetry'));
  const asked = await example.start(backend!, 'back end on port ');
  const node = await example.start(run!, ' is ready: ');
  await example.start(greet!, 'greeting: Hello');
  const [, traceId, spanId] = /traceparent: 00-(\w{32})-(\w{16})-01/.exec(asked.output)!;
  await node.printed("name: 'greet hp.post'");
  await eventually(() => node.output.split(`traceId: '${traceId}'`).length >= 3, 'both spans');
  assert.match(node.output, new RegExp(`name: 'request backend',\\s+id: '${spanId}'`));
});
