/** Lists in pages: whatever comes and goes between them, and however a cluster shares the rows, what stays is listed once and in order. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { merged, namesIn } from '../../../src/actors/pages.ts';
import { fc } from '../../support/properties.ts';

const name = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom('a', 'b', 'ä', '.', '😀') });
const limits = fc.integer({ min: 1, max: 7 });

test('the first names behind one, in order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(name), fc.oneof(name, fc.constant('')), limits, (names, after, limit) => {
      const expected = [...names].sort().filter((one) => one > after);
      assert.deepEqual(namesIn(names, { after, limit }), expected.slice(0, limit));
    }),
  );
});

type Row = readonly [name: string, count: number];
const nameOf = ([row]: Row) => row;
const add = ([id, one]: Row, [, other]: Row): Row => [id, one + other];

/** Every node has some names, of which some are gone, and others are new, when the n-th page is read. */
const scene = fc.record({
  nodes: fc.array(fc.uniqueArray(name), { minLength: 1, maxLength: 3 }),
  fleeting: fc.uniqueArray(fc.tuple(name, fc.integer({ min: 0, max: 4 })), { selector: ([one]) => one }),
  limit: limits,
});

test('the pages of a cluster have all that stays, once, in order, with the sum over all nodes', () => {
  fc.assert(
    fc.property(scene, ({ nodes, fleeting, limit }) => {
      const comesAndGoes = new Map(fleeting);
      const listed: Row[] = [];
      let after: string | null = '';
      for (let page = 0; after !== null; page += 1) {
        assert.ok(page < 100, 'it has an end');
        const answers: Row[][] = nodes.map((names) => {
          const present = names.filter((one) => !comesAndGoes.has(one) || (comesAndGoes.get(one)! + page) % 2 === 0);
          return namesIn(present, { after: after!, limit: limit + 1 }).map((one) => [one, 1]);
        });
        const { rows, cursor }: { rows: readonly Row[]; cursor: string | null } = merged(answers, limit, nameOf, add);
        assert.ok(rows.length <= limit);
        assert.ok(cursor === null || cursor === rows.at(-1)![0], 'a page that is not the last one gets on');
        listed.push(...rows);
        after = cursor;
      }
      const names = listed.map(nameOf);
      assert.deepEqual(names, [...new Set(names)].sort());
      const all = new Set(nodes.flat());
      const expected = [...all].filter((one) => !comesAndGoes.has(one)).sort();
      assert.deepEqual(
        listed.filter(([one]) => !comesAndGoes.has(one)),
        expected.map((one) => [one, nodes.filter((names) => names.includes(one)).length]),
      );
    }),
    { numRuns: 500 },
  );
});
