/** What back ends and subscribers of the 2014 server met, replayed: channels, the HTTP API. */
import { replay } from '../support/golden/replay.ts';

replay({ title: 'channels', recording: '05-pubsub' });
replay({ title: 'the HTTP API', recording: '06-api' });
