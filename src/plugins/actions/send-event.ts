/**
 * `action.send_event`: sends the event in the args, `{"name": …, "args": […]}`. With a trigger id the event carries it.
 *
 * With `"ack": "<event>"` the client is asked to acknowledge it, and the hooks of that event run as if the client had sent it: with null and
 * what it has acknowledged as arguments, or with an error if it does not within `timeout` ms.
 */
import { HiveError, toHiveError } from '../../observe/errors.ts';
import { askTimeoutMs, isAskTimeout, maxAskTimeoutMs } from '../../protocol/backend/ask-timeout.ts';
import { ClientEvent, EventPacket, eventFromValue, parseTrigger } from '../../protocol/packet.ts';
import { noArgs } from '../args.ts';
import type { Action, ActionCall, ActionPlugin, Client } from '../types.ts';

/** What becomes of the answer. */
interface Question {
  readonly ack: string;
  readonly timeoutMs: number;
}

function questionIn(args: unknown): Question | undefined {
  if (typeof args !== 'object' || args === null || !('ack' in args)) return undefined;
  const { ack, timeout = askTimeoutMs } = args as { ack: unknown; timeout?: unknown };
  if (typeof ack !== 'string' || ack === '') {
    throw new HiveError('bad_internal_event', 'ack is the name of an event.');
  }
  if (!isAskTimeout(timeout)) {
    throw new HiveError('bad_internal_event', `timeout is a number of milliseconds from 1 to ${maxAskTimeoutMs}.`);
  }
  return { ack, timeoutMs: timeout };
}

function packetOf({ args, trigger_id: triggerId }: ActionCall): EventPacket {
  const event = eventFromValue(args);
  if (triggerId === '') return event;
  const { id, ackWithData } = parseTrigger(triggerId);
  return new EventPacket(event.name, event.argsJson, id, ackWithData);
}

/** Nobody waits for the answer: whoever has asked may be what the client waits for. */
function ask(client: Client, event: EventPacket, { ack, timeoutMs }: Question): void {
  const tell = (...args: unknown[]) =>
    client.receive(new ClientEvent(ack, JSON.stringify(args), undefined, false, args));
  client.ask(event, timeoutMs).then(
    (args) => tell(null, ...args),
    (error: unknown) => tell(toHiveError(error).toJSON()),
  );
}

const send: Action = {
  check: ({ args }) => void questionIn(args),
  packet: (call) => (questionIn(call.args) ? undefined : packetOf(call)),
  run(client, call) {
    const question = questionIn(call.args);
    if (question) ask(client, eventFromValue(call.args), question);
    else client.send(packetOf(call));
  },
};

export const actionSendEvent: ActionPlugin = {
  args: noArgs,
  create: () => send,
};
