/** What the recordings leave unsaid: polls that were outstanding, clients that went away, and which node they came from. */
import type { Run } from './run.ts';

export interface Unsaid {
  /** Step → the step before which its request had been sent. */
  readonly early?: Readonly<Record<number, number>>;
  /** Step → what happens just before it. */
  readonly before?: Readonly<Record<number, (run: Run) => unknown>>;
  /** Where the sessions that are only named come from, if not from the listener that they are used at. */
  readonly home?: string;
}

const poll =
  'GET /socket.io/1/xhr-polling/<SID1> HTTP/1.1\r\nHost: client.example\r\nOrigin: http://good.example\r\n\r\n';

function publication(index: number): string {
  const body = `{"name": "n", "args": [${index}]}`;
  const head = `POST /api/apikey-12345/pubsub/publish/room.o HTTP/1.1\r\nHost: api.example\r\nContent-Length: ${body.length}`;
  return `${head}\r\n\r\n${body}`;
}

/** Between the recorded scenarios the router was enabled again. */
const enable = { 0: (run: Run) => run.ask('api', enabling) };
const enabling = 'POST /api/apikey-12345/router/enable HTTP/1.1\r\nHost: api.example\r\nContent-Length: 0\r\n\r\n';

const five = [0, 1, 2, 3, 4].map(publication);

export const unsaid: Readonly<Record<string, Unsaid>> = {
  '02.46': { before: { 10: (run) => run.socket('ws2')?.close() } },
  '03.03': { early: { 2: 1 } },
  '03.18': { early: { 2: 1 } },
  '03.19': { early: { 2: 1, 3: 1 } },
  '03.20': { before: { 1: (run) => run.abort('client', poll) } },
  // The poll comes when all is over.
  '03.29': { before: { 2: (run) => run.asked('/gone', '<SID1>') } },
  '04.31': { before: { 2: async (run) => run.stage.backEnd.failing.add(await run.sid('<SID1>')) } },
  '05.02': { before: { 16: (run) => run.socket('ws1')?.close() } },
  '05.17': {
    before: {
      4: async (run) => {
        for (const text of five) await run.ask('api', text);
      },
      10: (run) => run.ask('api', five.join('')),
    },
  },
  '08.03': { early: { 7: 4 }, before: enable },
  '08.05': { before: enable },
  '08.06': { before: enable },
  '11.06': { home: 'client2' },
  '11.08': { before: { 0: (run) => run.stage.killSecond() } },
  '12.01': { before: { 11: (run) => run.socket('ws1')?.close() } },
};
