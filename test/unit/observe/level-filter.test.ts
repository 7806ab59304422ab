import assert from 'node:assert/strict';
import { test } from 'node:test';
import { levelsOf } from '../../../src/observe/level-filter.ts';
import { levels } from '../../../src/observe/logger.ts';

const cases: readonly (readonly [filter: string, levels: string])[] = [
  ['debug', levels.join(' ')],
  ['critical', 'critical alert emergency'],
  ['>=critical', 'critical alert emergency'],
  ['>critical', 'alert emergency'],
  ['=notice', 'notice'],
  ['!=notice', 'debug info warning error critical alert emergency'],
  ['<notice', 'debug info'],
  ['<=notice', 'debug info notice'],
  ['<debug', ''],
  ['none', ''],
];

for (const [filter, expected] of cases) {
  test(`a log of ${filter} takes ${expected || 'nothing'}`, () => {
    assert.equal(levelsOf(filter).join(' '), expected);
  });
}
