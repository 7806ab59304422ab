import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkId, maxIdLength } from '../../../../src/actors/channel-ids.ts';
import { Templates } from '../../../../src/actors/pubsub/templates.ts';
import { HiveError } from '../../../../src/observe/errors.ts';
import { Metrics } from '../../../../src/observe/metrics.ts';
import type { Privilege } from '../../../../src/plugins/types.ts';
import { channels } from '../../../support/pubsub.ts';

const templates = new Templates(channels, new Metrics(), () => assert.fail('no history'));
const code = (run: () => unknown): string | undefined => {
  try {
    run();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof HiveError);
    return error.code;
  }
};

test('a channel is joined only where a template has its prefix and the privilege suffices', () => {
  assert.equal(templates.forJoin('news.eu', 'public').prefix, 'news');
  assert.equal(templates.forJoin('staff', 'private').prefix, 'staff');
  assert.equal(
    code(() => templates.forJoin('staff.boss', 'public')),
    'access_denied',
  );
  for (const privilege of ['public', 'private'] as const) {
    assert.equal(
      code(() => templates.forJoin('nowhere.a', privilege)),
      'bad_channel_id',
    );
  }
});

test('the highest privilege may leave and publish without a template', () => {
  assert.equal(
    code(() => templates.check(['nowhere'], 'private')),
    undefined,
  );
  assert.equal(
    code(() => templates.check(['news', 'nowhere'], 'public')),
    'bad_channel_id',
  );
  assert.equal(
    code(() => templates.check(['news', 'staff'], 'public')),
    'access_denied',
  );
});

test('a privilege that is missing or misspelt counts as the lowest', () => {
  for (const privilege of [undefined, null, 'Private', 'root']) {
    assert.equal(
      code(() => templates.check(['staff'], privilege as Privilege)),
      'access_denied',
    );
  }
});

test('an id that is empty, too long or has an empty segment is refused, whoever asks', () => {
  for (const id of ['', '.', 'news.', '.news', 'news..eu', 'x'.repeat(maxIdLength + 1)]) {
    assert.equal(
      code(() => templates.check([id], 'private')),
      'bad_channel_id',
      id,
    );
  }
  checkId('x'.repeat(maxIdLength));
});

test('names that objects inherit are no prefixes', () => {
  assert.equal(
    code(() => templates.forJoin('constructor.a', 'private')),
    'bad_channel_id',
  );
});
