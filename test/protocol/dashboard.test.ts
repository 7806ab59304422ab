/** The monitor's page as files: what browsers are told about them, and that there are no others. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DefaultNode } from '../support/default-node.ts';
import { ask, type Failure } from '../support/operator.ts';

describe("the monitor's page", () => {
  let node: DefaultNode;
  before(async () => {
    node = await DefaultNode.start();
  });
  after(() => node.stop());

  const get = (path: string, method = 'GET') => ask(node, 'monitor', method, path);

  test('is served with all that belongs to it, and may load nothing else', async () => {
    const page = await get('/monitor/KEY/dashboard');
    assert.deepEqual([page.status, page.type], [200, 'text/html; charset=utf-8']);
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|http/);
    assert.deepEqual(
      ['referrer-policy', 'cache-control', 'x-content-type-options'].map((name) => page.headers.get(name)),
      ['no-referrer', 'no-store', 'nosniff'],
    );
    assert.doesNotMatch(page.text, /<script(?![^>]* src=)|<style|\bon\w+=|\bstyle=/);
    const seen = new Set<string>();
    const wanted = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    for (const path of wanted) {
      if (seen.has(path)) continue;
      seen.add(path);
      assert.match(path, /^dashboard\/[\w-]+\.(js|css|svg)$/);
      const file = await get(`/monitor/KEY/${path}`);
      assert.equal(file.status, 200, path);
      assert.match(file.type ?? '', /^(text\/javascript|text\/css|image\/svg)/);
      assert.equal(file.headers.get('referrer-policy'), 'no-referrer');
      for (const [, name] of file.text.matchAll(/from '\.\/([^']+)'/g)) wanted.push(`dashboard/${name}`);
    }
    assert.ok(seen.size > 15);
  });

  test('its address without a slash at the end is the only one', async () => {
    const response = await fetch(node.address('monitor', '/monitor/KEY/dashboard/'), { redirect: 'manual' });
    assert.deepEqual([response.status, response.headers.get('location')], [308, '../dashboard']);
  });

  test('is there for those who have the key, to be read', async () => {
    for (const path of ['dashboard', 'dashboard/dashboard.js']) {
      const wrong = await get(`/monitor/wrong/${path}`);
      assert.deepEqual([wrong.status, (wrong.json as Failure).error], [401, 'bad_monitor_request']);
      assert.equal((await get(`/monitor/KEY/${path}`, 'POST')).status, 405);
    }
    const authorization = `Bearer ${node.address('monitor', 'KEY').split(/:\d+/)[1]}`;
    const headers = { authorization };
    assert.equal((await ask(node, 'monitor', 'GET', '/monitor/dashboard', undefined, headers)).status, 200);
  });

  test('nothing else is a file of it', async () => {
    for (const file of ['index.html', 'nothing.js', '..%2Fmonitor.js', '%2Fetc%2Fpasswd', 'constructor', 'a/b.js']) {
      assert.equal((await get(`/monitor/KEY/dashboard/${file}`)).status, 404, file);
    }
  });
});
