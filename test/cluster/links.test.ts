/** Links between nodes: an end breaks them, a sent signal does not. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type AnyRef, describeReason, type NodeName } from '../../src/kernel/types.ts';
import { ask, Do, seenFrom, spawnProbe, startEpmd, startTestNode, until } from '../support/cluster.ts';
import { startErlang } from '../support/erlang.ts';
import { missing } from '../support/programs.ts';

test('a sent exit signal leaves the link as it is', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await a.distribution.connect('b@127.0.0.1');
  const left = await spawnProbe(a.kernel);
  const right = await spawnProbe(b.kernel);
  const remote = seenFrom(a.kernel, right.ref) as never;
  left.ref.tell(new Do((self) => self.linkWith(remote)));
  left.ref.tell(new Do((self) => self.sendExit(remote, 'psst')));
  await until(() => right.probe.exits.length === 1, 'the signal');
  right.ref.tell(new Do((self) => self.end('over')));
  await until(() => left.probe.exits.length === 1, 'the end of the link');
  assert.deepEqual([right.probe.exits[0]!.reason, left.probe.exits[0]!.reason], ['psst', 'over']);
});

test('who is unlinked survives the other, and a second end of a link is none', async (t) => {
  const epmdPort = await startEpmd(t);
  const a = await startTestNode(t, 'a@127.0.0.1', { epmdPort });
  const b = await startTestNode(t, 'b@127.0.0.1', { epmdPort });
  await a.distribution.connect('b@127.0.0.1');
  const left = await spawnProbe(a.kernel);
  const right = await spawnProbe(b.kernel);
  const remote = seenFrom(a.kernel, right.ref);
  left.ref.tell(new Do((self) => self.linkWith(remote as never)));
  left.ref.tell(new Do((self) => self.linkWith(remote as never)));
  await ask(a.kernel, remote, 'sync');
  right.ref.tell(new Do((self) => self.end('over')));
  await until(() => left.probe.exits.length >= 1, 'the end of the link');
  a.distribution.disconnect('b@127.0.0.1');
  await until(() => a.downs.length === 1, 'the loss of the node');
  assert.equal(left.probe.exits.length, 1);
});

const skip = missing('erl');
const erlangName = 'e@127.0.0.1' as NodeName;

async function withErlang(t: TestContext) {
  const epmdPort = await startEpmd(t);
  const { kernel, distribution } = await startTestNode(t, 'h@127.0.0.1', { epmdPort });
  const erlang = await startErlang(t, erlangName, { epmdPort });
  await distribution.connect(erlangName);
  const { probe, ref } = await spawnProbe(kernel, 'probe', (_message, from) => from.reply(ref));
  await erlang.run(`process_flag(trap_exit, true), P = gen_server:call({probe, 'h@127.0.0.1'}, pid)`);
  return { erlang, probe, ref };
}

test('erlang:exit/2 to a linked actor leaves the link as it is', { skip }, async (t) => {
  const { erlang, probe, ref } = await withErlang(t);
  await erlang.run('link(P), exit(P, psst)');
  await until(() => probe.exits.length === 1, 'the signal');
  assert.equal(describeReason(probe.exits[0]!.reason), 'psst');
  ref.tell(new Do((self) => self.end('over')));
  assert.equal(await erlang.run(`receive {'EXIT', P, Why} -> Why end`), '<<"over">>');
});

test('an Erlang process that ends with the reason kill kills nobody', { skip }, async (t) => {
  const { erlang, probe, ref } = await withErlang(t);
  await erlang.run('S = self(), spawn(fun() -> link(P), S ! linked, exit(kill) end), receive linked -> ok end');
  await until(() => probe.exits.length === 1, 'the end of the link');
  assert.equal(probe.exits[0]!.reason, 'kill');
  assert.equal((ref as AnyRef & { alive: boolean }).alive, true);
});
