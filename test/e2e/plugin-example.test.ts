/** The example of a plugin, as its README runs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { Example } from '../support/example.ts';
import { missing } from '../support/programs.ts';

interface Refused {
  readonly plugins: { readonly limit: { readonly rate: { readonly refused: number } } };
}

test('the plugin limits a client, until the back end grants it more', { skip: missing('make', 'curl') }, async () => {
  const example = await Example.prepare('plugin');
  try {
    const [run, chatter, grant, count] = example.commands;
    await example.start(run!, ' is ready: ');
    const client = await example.start(chatter!, 'slow_down {"wait_ms":');
    const words = (...spoken: string[]) => spoken.map((word) => `say "${word}"\n`).join('');
    const [before = ''] = client.output.split('slow_down');
    assert.equal(before, words('one', 'two', 'three'));
    await client.printed('hive_error {"error":"internal_error"');
    const counted = JSON.parse(await example.run(`${count} --silent`)) as Refused;
    assert.ok(counted.plugins.limit.rate.refused >= 1);
    await example.run(grant!);
    await eventually(() => client.output.includes(words('one', 'two', 'three', 'four', 'five')), 'all five words');
  } finally {
    await example.stop();
  }
});
