/** Where the 2014 server drew lines, replayed: slots, origins, time-outs. Nearly every line wants a node of its own. */
import { replay } from '../support/golden/replay.ts';
import type { StageOptions } from '../support/golden/stage.ts';

function limits(title: string, scenarios: readonly number[], stage: StageOptions): void {
  replay({ title, recording: '09-limits-and-timeouts', scenarios, stage, concurrency: scenarios.length });
}

const second = { heartbeat_timeout: 1000 };

limits('four client slots', [1], { change: { hive: { max_client_slots: 4 } } });
limits('three client slots', [2], { change: { hive: { max_client_slots: 3 } } });
limits('no origin', [3], { change: { hive: { allowed_origins: ['http://good.example', null] } } });
limits('the origin "null"', [4], { change: { hive: { allowed_origins: ['http://good.example', 'null'] } } });
limits('time to connect', [5], { change: { socketio: { ...second, init_timeout: 800 } } });
limits('heartbeats', [6, 8, 9, 10], { change: { socketio: second } });
limits('missed pongs', [7], { change: { socketio: second, hive: { websocket_ping_timeout: 400 } } });
limits('the session time-out', [11, 12, 13], { change: { socketio: { ...second, session_timeout: 3500 } } });
limits('the poll time-out', [14], { change: { socketio: { poll_timeout: 500 } } });
limits('routed WebSockets', [15], { change: { hive: { direct_websocket: false } } });
limits('a reply on connect', [16], { hooks: { on_connect: [{ hook: 'utils.echo', args: null }] } });
limits('the back end on connect', [17], {
  hooks: { on_connect: [{ hook: 'hp.post', args: { connector: 'backend', endpoint: '/onconnect' } }] },
});
limits('what broke the whole server', [18, 19], {});
