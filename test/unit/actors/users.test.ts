/** Whose sessions are whose: the table of a node against a model, and what undoes a change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserState, Users } from '../../../src/actors/client/users.ts';
import { silent } from '../../../src/observe/logger.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { fc } from '../../support/properties.ts';

const made = () => new Users({ key: 'id', log: silent, metrics: new Metrics() });
const sidsOf = (users: Users, user: string) => users.of(user).map(({ sid }) => sid);

const ids = fc.oneof(fc.constantFrom('ann', 'bob', '7', 7, '', null), fc.constantFrom(true, {}, [], Number.NaN));
const steps = fc.oneof(
  fc.record({ kind: fc.constantFrom('put', 'set', 'fail', 'later', 'late failure'), sid: fc.nat(3), id: ids }),
  fc.record({ kind: fc.constant('remove'), sid: fc.nat(3), id: fc.constant(null) }),
);

test('the table is what states say, whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 30 }), async (run) => {
      const users = made();
      const model = new Map<string, string>();
      const nameOf = (id: unknown) =>
        (typeof id === 'string' && id !== '') || (typeof id === 'number' && Number.isFinite(id))
          ? String(id)
          : undefined;
      for (const { kind, sid: at, id } of run) {
        const sid = `s${at}`;
        const name = nameOf(id);
        const now = () => (name === undefined ? model.delete(sid) : model.set(sid, name));
        if (kind === 'remove') {
          users.remove(sid);
          model.delete(sid);
        } else if (kind === 'put') {
          users.put(sid, users.userIn({ id }));
          now();
        } else if (kind === 'set') {
          users.change(sid, { id }, () => {});
          now();
        } else if (kind === 'fail') {
          assert.throws(() =>
            users.change(sid, { id }, () => {
              throw new Error('full');
            }),
          );
        } else {
          const pending = users.change(sid, { id }, async () => {
            if (kind === 'late failure') throw new Error('full');
          });
          if (kind === 'later') now();
          if (kind === 'later') await pending;
          else await assert.rejects(async () => pending);
        }
        for (const user of ['ann', 'bob', '7']) {
          const expected = [...model].filter(([, name]) => name === user).map(([one]) => one);
          assert.deepEqual(sidsOf(users, user).sort(), expected.sort());
        }
        for (let n = 0; n < 4; n += 1) assert.equal(users.userOf(`s${n}`), model.get(`s${n}`));
      }
    }),
  );
});

test('a change counts at once, before it is stored; a session that ends meanwhile stays away', async () => {
  const users = made();
  let stored = (): void => {};
  let failed = (_: Error): void => {};
  const store = () =>
    new Promise<void>((resolve, reject) => {
      stored = resolve;
      failed = reject;
    });
  users.put('s', 'ann');
  const pending = users.change('s', { id: 'bob' }, store);
  assert.deepEqual([sidsOf(users, 'ann'), sidsOf(users, 'bob')], [[], ['s']]);
  stored();
  await pending;
  const second = users.change('s', { id: 'ann' }, store) as Promise<void>;
  users.remove('s');
  failed(new Error('gone'));
  await assert.rejects(second, /gone/);
  assert.equal(users.userOf('s'), undefined);
});

test('who is not admitted is whose it was before, and nothing is stored', async () => {
  const users = made();
  users.put('s', 'ann');
  const seen: string[] = [];
  users.admission = async ({ user, isSettled }) => {
    seen.push(`${user} ${isSettled} ${users.userOf('s')}`);
    if (user === 'bob') throw new Error('too many');
  };
  const stored: unknown[] = [];
  const state = new UserState(
    's',
    { get: () => ({}), set: (pairs) => void stored.push(pairs), cleanup() {} },
    users,
    () => undefined,
  );
  await assert.rejects(async () => state.set({ id: 'bob', x: 1 }), /too many/);
  assert.deepEqual([users.userOf('s'), stored, seen], ['ann', [], ['bob false bob']]);
  await state.set({ id: 'cid' });
  assert.deepEqual([users.of('cid').map(({ isSettled }) => isSettled), stored], [[true], [{ id: 'cid' }]]);
  await state.set({ x: 2 });
  await state.set({ id: 'cid', x: 3 });
  assert.equal(seen.length, 2, 'only a change is admitted');
});
