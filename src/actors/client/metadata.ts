/**
 * What back ends get to know of a client: JSON text, put together by hand so that the trigger's text is not parsed and
 * serialised again.
 *
 *   {"sid":…,"trigger":…,"trigger_id":…,"state":{…},"node":…,"session":{…},"namespace":…,"handshake":{…}}
 *
 * The first four are those of 2014. `namespace` is there if it is not `/`, `handshake` only for `on_connect`.
 */
import type { State, Trigger } from '../../plugins/types.ts';
import type { Handshake } from '../../web/client/client-handle.ts';

export interface Identity {
  readonly sid: string;
  readonly node: string;
  readonly namespace: string;
  /** When the session began, ms since 1970. */
  readonly connectedAt: number;
  /** How often the session was claimed by another node. */
  readonly epoch: number;
}

/** @param event which of the session's events it is, counted from 1 */
export function metadataText(
  identity: Identity,
  trigger: Trigger,
  event: number,
  state: State,
  handshake?: Handshake,
): string {
  const { sid, node, namespace, connectedAt, epoch } = identity;
  let text = `{"sid":"${sid}","trigger":${trigger.json},"trigger_id":${JSON.stringify(trigger.id)},"state":${JSON.stringify(state)}`;
  text += `,"node":${JSON.stringify(node)}`;
  text += `,"session":{"connected_at":${connectedAt},"epoch":${epoch},"event":${event}}`;
  if (namespace !== '/') text += `,"namespace":${JSON.stringify(namespace)}`;
  if (handshake) text += `,"handshake":${JSON.stringify(handshake)}`;
  return `${text}}`;
}
