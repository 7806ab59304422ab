/** What clients of the 2014 server met on the wire, replayed: handshakes, WebSockets, polling, hooks. */
import { replay } from '../support/golden/replay.ts';

replay({ title: 'handshakes', recording: '01-handshake', concurrency: 4 });
replay({ title: 'WebSockets', recording: '02-websocket', concurrency: 6 });
replay({ title: 'polling', recording: '03-xhr-polling', concurrency: 6 });
replay({ title: 'hooks and back ends', recording: '04-hooks', concurrency: 6 });
