/** The configuration and the back end with which Hive is the server that the suite of Socket.IO 5 asks for. */
import { type Answer, type Asked, BackEnd } from './back-end.ts';

const hook = (endpoint: string) => [{ hook: 'hp.post', args: { connector: 'suite', endpoint } }];

interface Metadata {
  readonly trigger: { readonly args: unknown[] } | null;
  readonly trigger_id: string;
  readonly handshake?: { readonly auth?: unknown };
}

type Reply = (metadata: Metadata) => Record<string, unknown>;

const replies: Record<string, Reply> = {
  '/auth': ({ handshake }) => ({ action: 'send', args: { name: 'auth', args: [handshake?.auth ?? {}] } }),
  '/message': ({ trigger }) => ({ action: 'send', args: { name: 'message-back', args: trigger?.args } }),
  '/acknowledge': ({ trigger, trigger_id }) => ({ action: 'acknowledge', args: trigger?.args, trigger_id }),
};

export async function startSuiteBackEnd(): Promise<BackEnd> {
  const backEnd = await BackEnd.start();
  for (const [path, reply] of Object.entries(replies)) {
    const answer = ({ body }: Asked): Answer => ({ body: [reply(JSON.parse(body) as Metadata)] });
    backEnd.answers.set(path, answer);
  }
  return backEnd;
}

/** Sections of a node's configuration. */
export const suiteSections = ({ url }: BackEnd) => ({
  clients: {
    state: { state_manager: 'sm.local', initial_value: {}, args: null },
    actions: {
      send: [{ action: 'action.send_event', args: null }],
      acknowledge: [{ action: 'action.send_ack', args: null }],
    },
    hooks: {
      on_connect: hook('/auth'),
      message: hook('/message'),
      'message-with-ack': hook('/acknowledge'),
    },
  },
  connectors: {
    rent_timeout: 2000,
    pools: {
      suite: {
        connector: 'connector.http',
        size: 10,
        overflow: 100,
        args: { base_url: url, max_connection_timeout: 2000 },
      },
    },
  },
  pubsub: { channels: {} },
});

/** Of the section `socketio`; times in ms. */
export const suiteSettings = { namespaces: ['/', '/custom'], max_payload: 1_000_000, connect_timeout: 1000 };
