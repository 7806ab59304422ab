import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeNodeName, parseNodeAddress } from '../../../src/config/node-name.ts';

test('a full name is kept as it is', () => {
  for (const name of ['node1@127.0.0.1', 'n1@localhost', 'hive-2@db.shop.example', 'a_b@my_host']) {
    assert.equal(completeNodeName(name, 'elsewhere'), name);
  }
});

test("a bare id gets the machine's host name", () => {
  assert.equal(completeNodeName('hive', 'debian'), 'hive@debian');
  assert.equal(completeNodeName('hive', 'web1.shop.example'), 'hive@web1.shop.example');
});

test('what does not make a node name is refused', () => {
  assert.equal(completeNodeName('hive', 'no host'), undefined);
  for (const name of ['', '@', 'a@', '@b', 'a@b@c', 'a b@c', 'a@b:1', 'a.b@c', 'a@-b', 'a@b\n']) {
    assert.equal(completeNodeName(name, 'host'), undefined, name);
  }
});

test('an address is a full name and perhaps a port', () => {
  assert.deepEqual(parseNodeAddress('n@10.0.0.2'), { name: 'n@10.0.0.2', host: '10.0.0.2' });
  assert.deepEqual(parseNodeAddress('n@10.0.0.2:9101'), { name: 'n@10.0.0.2', host: '10.0.0.2', port: 9101 });
  for (const text of ['n', 'n@h:0', 'n@h:65536', 'n@h:', 'n@h:x'])
    assert.equal(parseNodeAddress(text), undefined, text);
});
