import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { generatedFiles } from '../../../scripts/schemas.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

test('JSON Schemas and reference tables are up to date (npx tsx scripts/schemas.ts)', () => {
  for (const [path, content] of generatedFiles()) assert.equal(read(path), content, path);
});

test('an editor with the published schemas accepts the default and the 2014 configuration, and sees mistakes', () => {
  const ajv = new Ajv({ strict: false });
  for (const [path, content] of generatedFiles()) {
    if (path.endsWith('.json')) ajv.addSchema(JSON.parse(content), path.slice('config/schema/'.length));
  }
  const accepts = (text: string) => ajv.validate('config.json', JSON.parse(text));
  assert.ok(accepts(read('config/hive.json')), ajv.errorsText());
  assert.ok(accepts(read('test/fixtures/config/2014-recorded.json')), ajv.errorsText());
  assert.ok(!accepts(read('config/hive.json').replace('"port"', '"prot"')));
});
