/**
 * `utils.echo`: sends the client its own event back (`args` null), or always the event in `args`. A client that asked for
 * an acknowledgement gets one first, with the same arguments.
 */
import { Type } from 'typebox';
import { AckPacket, type ClientEvent, EventPacket, eventFromValue } from '../../protocol/packet.ts';
import { type ExternalEvent, externalEventArg } from '../external-event.ts';
import type { Client, Hook, HookPlugin } from '../types.ts';

export const utilsEcho: HookPlugin<ExternalEvent | null> = {
  usesMetadata: false,
  args: Type.Union([Type.Null(), externalEventArg]),
  create(args): Hook {
    if (args === null) return echo;
    // One packet for all clients, so it is encoded once.
    const packet = eventFromValue(args);
    return (client, { event }) => send(client, event, packet);
  },
};

/** The special events have no packet that could be repeated. */
const echo: Hook = (client, { event }) => {
  if (event) send(client, event, new EventPacket(event.name, event.argsJson));
};

/** The event goes out without the client's id: with it, the client would be asked to acknowledge its own question. */
function send(client: Client, event: ClientEvent | undefined, packet: EventPacket): void {
  if (event?.id !== undefined) client.send(new AckPacket(event.id, arrayText(packet.argsJson)));
  client.send(packet);
}

function arrayText(argsJson: string): string {
  return argsJson.trimStart().startsWith('[') ? argsJson : `[${argsJson}]`;
}
