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
import { actionStartConnectors } from './actions/start-connectors.ts';
import { actionStop } from './actions/stop.ts';
import { actionStopConnectors } from './actions/stop-connectors.ts';
import { actionUpdateState } from './actions/update-state.ts';
import { httpConnector } from './connectors/http/http.ts';
import { redisConnector } from './connectors/redis/redis.ts';
import { tcpConnector } from './connectors/tcp/tcp.ts';
import { definePlugin } from './define-plugin.ts';
import { hpGet } from './hooks/hp-get.ts';
import { hpPost } from './hooks/hp-post.ts';
import { hpPut } from './hooks/hp-put.ts';
import { pubsubHistory } from './hooks/pubsub-history.ts';
import { pubsubResubscribe, pubsubSubscribe, pubsubUnsubscribe } from './hooks/pubsub-membership.ts';
import { pubsubPresence } from './hooks/pubsub-presence.ts';
import { pubsubPublish } from './hooks/pubsub-publish.ts';
import { utilsConsoleDump } from './hooks/utils-console-dump.ts';
import { utilsDispatch } from './hooks/utils-dispatch.ts';
import { utilsEcho } from './hooks/utils-echo.ts';
import { localStateManager } from './state-managers/local.ts';
import { redisStateManager } from './state-managers/redis/redis.ts';

export const builtIn = definePlugin({
  hooks: {
    'utils.echo': utilsEcho,
    'utils.console_dump': utilsConsoleDump,
    'utils.dispatch': utilsDispatch,
    'hp.get': hpGet,
    'hp.put': hpPut,
    'hp.post': hpPost,
    'pubsub.history': pubsubHistory,
    'pubsub.presence': pubsubPresence,
    'pubsub.publish': pubsubPublish,
    'pubsub.subscribe': pubsubSubscribe,
    'pubsub.unsubscribe': pubsubUnsubscribe,
    'pubsub.resubscribe': pubsubResubscribe,
  },
  actions: {
    'action.stop': actionStop,
    'action.error': actionError,
    'action.send_event': actionSendEvent,
    'action.send_message': actionSendMessage,
    'action.send_json': actionSendJson,
    'action.send_ack': actionSendAck,
    'action.update_state': actionUpdateState,
    'action.dispatch': actionDispatch,
    'action.add_hooks': actionAddHooks,
    'action.remove_hooks': actionRemoveHooks,
    'action.start_connectors': actionStartConnectors,
    'action.stop_connectors': actionStopConnectors,
    'action.pubsub.publish': actionPublish,
    'action.pubsub.publish_raw': actionPublishRaw,
    'action.pubsub.subscribe': actionSubscribe,
    'action.pubsub.unsubscribe': actionUnsubscribe,
    'action.pubsub.resubscribe': actionResubscribe,
  },
  connectors: {
    'connector.http': httpConnector,
    'connector.tcp': tcpConnector,
    'connector.redis': redisConnector,
  },
  stateManagers: {
    'sm.local': localStateManager,
    'sm.redis': redisStateManager,
  },
});
