import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IdSource } from '../../../src/kernel/ids.ts';
import { isPid, Pids } from '../../../src/sessions/pids.ts';
import { fc } from '../../support/properties.ts';

const sid = new IdSource('test@127.0.0.1', 1).next();
const pids = new Pids();

test('a pid is good for its session and its namespace', () => {
  const pid = pids.of(sid, '/');
  assert(isPid(pid));
  assert.equal(pids.of(sid, '/'), pid);
  assert.equal(pids.verify(pid, '/'), sid);
});

test('one of another namespace, session or secret is not', () => {
  const pid = pids.of(sid, '/');
  assert.equal(pids.verify(pid, '/chat'), undefined);
  assert.equal(pids.verify(pids.of(sid, '/chat'), '/'), undefined);
  assert.equal(new Pids().verify(pid, '/'), undefined);
  const other = new IdSource('test@127.0.0.1', 1).next();
  assert.equal(pids.verify(other + pid.slice(30), '/'), undefined);
});

test('what was made before the secret of the cluster was known stays good, and is not what is made since', () => {
  const late = new Pids();
  const early = late.of(sid, '/');
  late.use(Buffer.alloc(32, 1));
  assert.equal(late.verify(early, '/'), sid);
  assert.notEqual(late.of(sid, '/'), early);
  const other = new Pids(Buffer.alloc(32, 1));
  assert.equal(other.verify(late.of(sid, '/'), '/'), sid);
  assert.equal(other.verify(early, '/'), undefined);
});

test('it gives away neither its secret nor another pid', () => {
  const pid = pids.of(sid, '/');
  assert.equal(pid.length, 53);
  assert.notEqual(pids.of(sid, '/side').slice(30), pid.slice(30));
});

test('garbage is refused, whatever it is', () => {
  const pid = pids.of(sid, '/');
  for (const garbage of [
    '',
    '.',
    sid,
    `${sid}.`,
    pid.slice(1),
    `${pid}x`,
    `${pid}\n`,
    ` ${pid}`,
    pid.replace('.', '-'),
  ]) {
    assert(!isPid(garbage), garbage);
    assert.equal(pids.verify(garbage, '/'), undefined);
  }
  for (const garbage of [undefined, null, 7, {}, [pid]]) assert(!isPid(garbage));
  const changed = fc.tuple(fc.nat(pid.length - 1), fc.constantFrom(...'aZ0-_.é'));
  fc.assert(
    fc.property(changed, ([at, character]) => {
      const forged = pid.slice(0, at) + character + pid.slice(at + 1);
      assert.equal(pids.verify(forged, '/'), forged === pid ? sid : undefined);
    }),
  );
});
