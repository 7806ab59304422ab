/** Questions to all clients in a channel, on all nodes: each node asks its own, and says who has not answered in time. */
import type { Kernel } from '../../kernel/kernel.ts';
import { callTimeoutMs } from '../../kernel/types.ts';
import { HiveError, toHiveError } from '../../observe/errors.ts';
import type { Log } from '../../observe/logger.ts';
import type { EventPacket } from '../../protocol/packet.ts';
import type { ChannelAnswers } from '../../web/api/api-host.ts';
import { checkId } from '../channel-ids.ts';
import { multiCall } from '../cluster/multi-call.ts';
import type { ClusterView } from '../contracts.ts';
import type { ClientsHere } from './clients-here.ts';
import type { Lists } from './lists.ts';
import { type AskedHere, type RouterAnswer, type RouterMessage, routerName } from './wire-messages.ts';

export interface ChannelAsksSetup {
  readonly kernel: Kernel;
  readonly cluster: ClusterView;
  readonly lists: Lists;
  readonly here: ClientsHere;
  readonly log: Log;
}

/** Clients that one node asks at once: each answer may be large. */
const maxAsked = 10_000;

export class ChannelAsks {
  readonly #setup: ChannelAsksSetup;

  constructor(setup: ChannelAsksSetup) {
    this.#setup = setup;
  }

  /** Resolves when all have answered, or after so many ms. @throws HiveError (rejection) `bad_channel_id` */
  async ask(channel: string, { name, argsJson: args }: EventPacket, timeoutMs: number): Promise<ChannelAnswers> {
    checkId(channel);
    const message: RouterMessage = { type: 'ask_channel', channel, name, args, timeoutMs };
    const patienceMs = timeoutMs + callTimeoutMs;
    const { replies, missing } = await multiCall<RouterMessage, RouterAnswer>(
      this.#setup,
      routerName,
      message,
      patienceMs,
    );
    const answered = new Map<string, readonly unknown[]>();
    const failed = new Map<string, string>();
    const refused: string[] = [];
    for (const [node, answer] of replies) {
      if (!('asked' in answer)) {
        refused.push(node);
        continue;
      }
      for (const [sid, text] of answer.asked.answers) answered.set(sid, JSON.parse(text) as unknown[]);
      for (const [sid, error] of answer.asked.unanswered) failed.set(sid, error);
    }
    // One that has moved meanwhile may have been asked twice.
    for (const sid of answered.keys()) failed.delete(sid);
    return {
      answers: [...answered].map(([sid, given]) => ({ sid, args: given })),
      unanswered: [...failed].map(([sid, error]) => ({ sid, error })),
      nodes: [...replies.keys()].filter((node) => !refused.includes(node)).sort(),
      missing: [...missing, ...refused].sort(),
    };
  }

  /** Asks the clients of this node. @throws HiveError (rejection) `limit_exceeded` if there are too many */
  async askHere(channel: string, event: EventPacket, timeoutMs: number): Promise<AskedHere> {
    const { lists, here } = this.#setup;
    const sids = lists.sidsIn(channel);
    if (sids.length > maxAsked) {
      throw new HiveError('limit_exceeded', `${sids.length} clients are there; ${maxAsked} can be asked at once.`);
    }
    const answers: [string, string][] = [];
    const unanswered: [string, string][] = [];
    const one = async (sid: string): Promise<void> => {
      try {
        answers.push([sid, await here.ask(sid, event, timeoutMs)]);
      } catch (thrown) {
        const { code } = toHiveError(thrown);
        // It has gone, and is not missed.
        if (code !== 'bad_session_id') unanswered.push([sid, code]);
      }
    };
    await Promise.all(sids.map(one));
    return { answers, unanswered };
  }
}
