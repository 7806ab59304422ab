/** That everything declared about the recordings is explained, true to its form, and told in docs/compatibility.md. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { differencesOf, quirks, recordingNames, scenariosOf } from '../support/golden/recordings.ts';
import { comparable, withDifference } from '../support/golden/replay.ts';
import { recordedOutcomes } from '../support/golden/run.ts';
import { compatibilityTable, tableFile } from '../support/golden/table.ts';

test('all 219 scenarios are there', () => {
  assert.equal(recordingNames.flatMap(scenariosOf).length, 219);
});

for (const name of recordingNames) {
  test(`every difference from ${name} belongs to a scenario, is one, and is explained`, () => {
    const scenarios = new Map(scenariosOf(name).map((scenario) => [scenario.id, scenario]));
    const known = quirks();
    for (const [id, difference] of Object.entries(differencesOf(name))) {
      const scenario = scenarios.get(id);
      assert.ok(scenario, `${id} is no scenario`);
      assert.ok(difference.ours !== '' && difference.quirks.length > 0, `${id} is not explained`);
      for (const quirk of difference.quirks) assert.ok(quirk in known, `${id}: ${quirk} is not in quirks.json`);
      const recorded = recordedOutcomes(scenario);
      const changed = withDifference(recorded, difference.steps).filter(
        (outcome, index) => comparable(outcome) !== comparable(recorded[index]),
      );
      assert.ok(changed.length > 0, `${id} differs nowhere`);
      assert.equal(changed.length, Object.keys(difference.steps).length, `${id} declares what is the same`);
    }
  });
}

test('docs/compatibility.md is up to date', () => {
  const table = compatibilityTable();
  if (process.env.GOLDEN === 'write') writeFileSync(tableFile, table);
  assert.equal(existsSync(tableFile) && readFileSync(tableFile, 'utf8'), table);
});
