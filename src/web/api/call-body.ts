/** What came with a call: text, or in a batch the value that it stands for. */
import { HiveError } from '../../observe/errors.ts';
import { type ActionCall, toActionCalls } from '../../protocol/backend/action-call.ts';
import { channelIds } from '../../protocol/backend/channel-expression.ts';
import { parseBackEndJson } from '../../protocol/json.ts';
import { type EventPacket, eventFromCompact, eventFromValue } from '../../protocol/packet.ts';
import type { ManyEvents } from './api-host.ts';

/** Of one call. */
const maxPublications = 1000;

export class CallBody {
  readonly #text: string | undefined;
  readonly #value: unknown;

  private constructor(text: string | undefined, value: unknown) {
    this.#text = text;
    this.#value = value;
  }

  static readonly none = new CallBody('', undefined);

  static ofText(text: string): CallBody {
    return new CallBody(text, undefined);
  }

  /** A string is the text itself; absent means empty. */
  static ofValue(value: unknown): CallBody {
    if (value === undefined || typeof value === 'string') return new CallBody(value ?? '', undefined);
    return new CallBody(undefined, value);
  }

  get text(): string {
    return this.#text ?? JSON.stringify(this.#value);
  }

  /** @throws HiveError `invalid_json` */
  json(): unknown {
    if (this.#text === undefined) return this.#value;
    if (this.#text.trim() === '') throw new HiveError('invalid_json', 'The body is empty.');
    return parseBackEndJson(this.#text, 'The body is');
  }

  /** @throws HiveError `invalid_json`, `bad_external_event` */
  event(): EventPacket {
    const compact = this.#text === undefined ? undefined : eventFromCompact(this.#text);
    return compact ?? eventFromValue(this.json());
  }

  /** One or several. @throws HiveError `invalid_json`, `bad_internal_event` */
  actions(): ActionCall[] {
    return toActionCalls(this.json());
  }

  /** Several events, each with its channels. @throws HiveError `invalid_json`, `bad_external_event`, `bad_request`, `bad_channel_id` */
  publications(): ManyEvents[] {
    const items = this.json();
    if (!Array.isArray(items) || items.length > maxPublications) {
      throw new HiveError('bad_request', `The body is no JSON array of at most ${maxPublications} publications.`);
    }
    return items.map((item) => {
      const event = eventFromValue(item);
      const { name: _name, args: _args, channel, channels, ...more } = item as Record<string, unknown>;
      const [stranger] = Object.keys(more);
      if (stranger !== undefined) throw new HiveError('bad_request', `A publication has no ${stranger}.`);
      const isOne = (channel === undefined) !== (channels === undefined);
      if (!isOne) throw new HiveError('bad_request', 'A publication has either a channel or channels.');
      const ids = channelIds(channel ?? channels);
      if (ids.length === 0) throw new HiveError('bad_request', 'A publication names no channel.');
      return { channels: ids, event };
    });
  }

  /** The channels of an expression. @throws HiveError `bad_request` */
  channels(): string[] {
    let expression: unknown;
    try {
      expression = this.json();
    } catch (error) {
      throw new HiveError('bad_request', 'The body is no JSON array of channel ids.', { cause: error });
    }
    const channels = channelIds(expression);
    if (channels.length === 0) throw new HiveError('bad_request', 'The body names no channel.');
    return channels;
  }
}
