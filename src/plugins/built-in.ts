/** The plugins that come with Hive. */
import { actionAddHooks } from './actions/add-hooks.ts';
import { actionDispatch } from './actions/dispatch.ts';
import { actionError } from './actions/error.ts';
import { actionResubscribe, actionSubscribe, actionUnsubscribe } from './actions/pubsub-membership.ts';
import { actionPublish, actionPublishRaw } from './actions/pubsub-publish.ts';
import { actionRemoveHooks } from './actions/remove-hooks.ts';
import { actionSendAck } from './actions/send-ack.ts';
import { actionSendEvent } from './actions/send-event.ts';
import { actionSendJson } from './actions/send-json.ts';
import { actionSendMessage } from './actions/send-message.ts';
import { actionStop } from './actions/stop.ts';
import { actionUpdateState } from './actions/update-state.ts';
import { httpConnector } from './connectors/http.ts';
import { redisConnector } from './connectors/redis.ts';
import { hpGet } from './hooks/hp-get.ts';
import { hpPost } from './hooks/hp-post.ts';
import { hpPut } from './hooks/hp-put.ts';
import { pubsubResubscribe, pubsubSubscribe, pubsubUnsubscribe } from './hooks/pubsub-membership.ts';
import { pubsubPublish } from './hooks/pubsub-publish.ts';
import { utilsConsoleDump } from './hooks/utils-console-dump.ts';
import { utilsDispatch } from './hooks/utils-dispatch.ts';
import { utilsEcho } from './hooks/utils-echo.ts';
import { localStateManager } from './state-managers/local.ts';
import { redisStateManager } from './state-managers/redis.ts';
import type { Plugin } from './types.ts';

export const builtInPlugins: readonly Plugin[] = [
  utilsEcho,
  utilsConsoleDump,
  utilsDispatch,
  hpGet,
  hpPut,
  hpPost,
  pubsubPublish,
  pubsubSubscribe,
  pubsubUnsubscribe,
  pubsubResubscribe,
  actionStop,
  actionError,
  actionSendEvent,
  actionSendMessage,
  actionSendJson,
  actionSendAck,
  actionUpdateState,
  actionDispatch,
  actionAddHooks,
  actionRemoveHooks,
  actionPublish,
  actionPublishRaw,
  actionSubscribe,
  actionUnsubscribe,
  actionResubscribe,
  httpConnector,
  redisConnector,
  localStateManager,
  redisStateManager,
];
