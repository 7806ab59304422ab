/** Sessions whose node is gone: this node tells back ends of their departures. */

import type { Claimed } from '../../sessions/durable/adopter.ts';
import type { RecordSource } from '../../sessions/durable/durable-session.ts';
import type { CloseReason } from '../../web/client/client-handle.ts';
import type { ClientServices } from './client-services.ts';
import { forgetState } from './complaint.ts';
import { Departure } from './departure.ts';
import { ClientOutput } from './output.ts';
import { type Life, PluginClient } from './plugin-client.ts';
import { asSessionRecord } from './session-record.ts';

/** Until its departure waits. */
const nobody: Life = { alive: true, signal: new AbortController().signal, fenced() {} };

/** Makes a claimed session depart. */
export function adoptDeparture(context: ClientServices, { sid, epoch, contents }: Claimed): RecordSource {
  const record = asSessionRecord(contents);
  const output = new ClientOutput(context.metrics, sid, undefined);
  const client = new PluginClient(context, { sid, namespace: record.n }, undefined, nobody, output);
  client.adoptDeparture(record, epoch);
  const hooks = client.hooks.get('on_disconnect');
  if (hooks) {
    context.departures.inherit(
      new Departure(client, hooks, (record.d?.r ?? record.w ?? 'node_lost') as CloseReason, context),
    );
  } else {
    // Its record is kept from the next turn on.
    queueMicrotask(() => void forgetState(client, context));
  }
  return client;
}
