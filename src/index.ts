/** Hive as a library: define plugins, load a configuration, start a node in this process. */
export { type Static, Type } from 'typebox';
export type { LoadedConfig } from './config/load.ts';
export { ConfigError, formatProblem, type Problem } from './config/problem.ts';
export type { Config } from './config/types.ts';
export { Actor } from './kernel/actor.ts';
export type { From } from './kernel/types.ts';
export { type End, type Node, startNode } from './node/node.ts';
export { type ErrorCode, HiveError } from './observe/errors.ts';
export {
  type AdoptEvent,
  type ClientOfEvent,
  type ConnectEvent,
  type CrashEvent,
  type DisconnectEvent,
  type DrainEvent,
  type DurableEvent,
  type EventChannel,
  type EventError,
  type EventTrace,
  events,
  type HookEvent,
  type LinkDownEvent,
  type LinkUpEvent,
  listen,
  type PoolRequestEvent,
  type PublishEvent,
  type RecoverEvent,
  type RestartEvent,
  type SubscribeEvent,
  type SuspendEvent,
  type UnsubscribeEvent,
} from './observe/events.ts';
export type { Histogram } from './observe/histogram.ts';
export type { Log } from './observe/logger.ts';
export type { Counter, Metrics } from './observe/metrics.ts';
export type { RequestHeaders } from './observe/request-headers.ts';
export { Unavailable } from './plugins/connectors/unavailable.ts';
export { definePlugin, type Plugin, type PluginParts } from './plugins/define-plugin.ts';
export { loadWithPlugins as loadConfig } from './plugins/load-with-plugins.ts';
export {
  type Action,
  type ActionCall,
  type ActionPlugin,
  type Client,
  type ClientState,
  type ConnectionSink,
  type ConnectionSource,
  type Connector,
  type ConnectorPlugin,
  type Hook,
  type HookDescriptor,
  type HookPlugin,
  type Pool,
  type PoolDescriptor,
  type PoolSetup,
  type Pools,
  type Privilege,
  type Publication,
  type PubSub,
  type Refusal,
  type Services,
  type SessionClaim,
  type State,
  type StateManager,
  type StateManagerPlugin,
  StopClient,
  type Trigger,
  type WorkerMessage,
} from './plugins/types.ts';
export { parseActionCalls, toActionCalls } from './protocol/backend/action-call.ts';
export { channelIds } from './protocol/backend/channel-expression.ts';
export {
  type AckPacket,
  ackPacket,
  ClientEvent,
  type EventPacket,
  eventFromValue,
  eventPacket,
  MessagePacket,
  type ServerPacket,
} from './protocol/packet.ts';
export { version } from './version.ts';
export { type ChosenSockets, chooseSockets, type SocketsWanted } from './web/sockets/choice.ts';
