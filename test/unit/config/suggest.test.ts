import assert from 'node:assert/strict';
import { test } from 'node:test';
import { suggest } from '../../../src/config/suggest.ts';

const keys = ['port', 'host', 'poll_timeout', 'allowed_origins', 'max_client_slots'];

test('finds the word that was meant', () => {
  assert.equal(suggest('prot', keys), 'port');
  assert.equal(suggest('alowed_orgins', keys), 'allowed_origins');
  assert.equal(suggest('max-client-slots', keys), 'max_client_slots');
  assert.equal(suggest('PollTimeout', keys), 'poll_timeout');
  assert.equal(suggest('allowed', keys), 'allowed_origins');
});

test('says nothing when nothing is alike', () => {
  assert.equal(suggest('banana', keys), undefined);
  assert.equal(suggest('', keys), undefined);
  assert.equal(suggest('port', []), undefined);
});
