/** A short run of the fuzzer, the same each time; `npm run fuzz` goes on from there. Needs a build. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing } from '../support/programs.ts';
import { loadable } from '../support/socket-libraries.ts';
import { fuzz } from './fuzz.ts';
import { targetNames } from './targets/all.ts';

// The best that there is, and the last.
for (const sockets of new Set([loadable[0]!, loadable.at(-1)!])) {
  test(`strangers at every port of nodes on ${sockets} harm nobody`, { skip: missing('redis-server') }, async () => {
    const report = await fuzz({ seed: 'ci', sliceSize: 12, goesOn: (slice) => slice < 2, shortenMs: 60_000, sockets });
    for (const target of targetNames) assert.equal(report.tallies.get(target)?.cases, 24, target);
  });
}
