/** Section `clients`: where state is kept, and which hooks and actions run for whom. */
import { Type } from 'typebox';
import { mapOf, milliseconds, strictObject } from './fields.ts';

const anyArgs = Type.Unknown({ description: 'Arguments of the plugin; any JSON value that it accepts.' });

export const hookDescriptorSchema = strictObject(
  { hook: Type.String({ minLength: 1, description: 'Name of the hook plugin.' }), args: anyArgs },
  { description: 'One hook.' },
);

const actionDescriptorSchema = strictObject(
  { action: Type.String({ minLength: 1, description: 'Name of the action plugin.' }), args: anyArgs },
  { description: 'One action.' },
);

export const clientsSchema = strictObject(
  {
    max_hooks_per_event: Type.Integer({
      default: 1000,
      minimum: 1,
      maximum: 1_000_000,
      description:
        'Maximum number of hooks of one event of a client, and of hooks run by all events that one action dispatches.',
    }),
    max_added_events: Type.Integer({
      default: 1000,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Maximum number of events of a client, in addition to those in the configuration, to which back ends may add hooks.',
    }),
    departure_retry: milliseconds(
      'How long `on_disconnect` of a client is repeated if no back end answers it; 0 = not at all.',
      { default: 600_000, minimum: 0 },
    ),
    departure_limit: Type.Integer({
      default: 100_000,
      minimum: 1,
      maximum: 10_000_000,
      description: 'Maximum number of clients that have gone and whose `on_disconnect` is being repeated.',
    }),
    user: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          "Key of the state that holds the id of the client's user, text or a number. Absent: clients belong to nobody.",
      }),
    ),
    max_sessions_per_user: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 1_000_000,
      description: 'Maximum number of sessions of one user in the cluster; 0 = no limit.',
    }),
    surplus_session: Type.Enum(['refuse', 'replace'], {
      default: 'refuse',
      description:
        'What happens when a user has too many sessions: the state of the new one is not changed (`limit_exceeded`), or the oldest one is disconnected.',
    }),
    recovery: Type.Optional(
      strictObject(
        {
          window: milliseconds(
            'How long a session waits for its client to return after a connection was lost, and what it is sent is kept.',
            { default: 120_000, minimum: 100 },
          ),
          max_bytes: Type.Integer({
            default: 33_554_432,
            minimum: 65_536,
            maximum: 4_294_967_296,
            description: 'Memory for what all sessions are sent in that time; the oldest is forgotten first. Bytes.',
          }),
        },
        {
          description:
            'Connection state recovery for Socket.IO clients from 4.6. Absent: a session ends with its connection.',
        },
      ),
    ),
    durable: Type.Optional(
      strictObject(
        {
          connector: Type.String({ minLength: 1, description: 'Name of a `connector.redis` pool.' }),
          lease: milliseconds(
            'How long a node may be silent before other nodes take it for dead and claim its sessions.',
            { default: 10_000, minimum: 1000 },
          ),
        },
        {
          description:
            'Sessions are stored in Redis, and other nodes run `on_disconnect` for those of a node that was killed. Absent: they are not.',
        },
      ),
    ),
    state: strictObject(
      {
        state_manager: Type.String({
          default: 'sm.local',
          minLength: 1,
          description: 'Name of the state manager plugin.',
        }),
        initial_value: Type.Unknown({ default: {}, description: 'State of a new client, normally an object.' }),
        args: Type.Unknown({ default: null, description: 'Arguments of the plugin; any JSON value that it accepts.' }),
      },
      { default: {}, description: 'Where the state of clients is kept.' },
    ),
    actions: mapOf(
      Type.Array(actionDescriptorSchema),
      'Actions that back ends may use: name → action plugins, which run in order.',
      { default: {} },
    ),
    hooks: mapOf(
      Type.Array(hookDescriptorSchema),
      'Hooks per client event: name → hook plugins, which run in order. The server itself triggers `on_connect`, `on_disconnect`, `on_terminate`, and with `recovery` `on_suspend` and `on_recover`.',
      { default: {} },
    ),
  },
  { description: "Clients' state, hooks and actions." },
);
