/** The command line as operators meet it. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { badConfigs } from '../support/bad-configs/all.ts';
import { type BadConfig, writeBadConfig } from '../support/bad-configs/bad-config.ts';
import { writeDefaultConfig } from '../support/default-node.ts';
import { HiveProcess, hive } from '../support/hive-process.ts';
import { freePorts } from '../support/ports.ts';

const directory = mkdtempSync(join(tmpdir(), 'hive-cli-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const writeConfig = (name: string, hiveSection: Record<string, unknown> = {}): Promise<string> =>
  writeDefaultConfig(directory, name, (config) => Object.assign(config.hive!, hiveSection));

describe('hive check', () => {
  test('accepts the default configuration and says so', async () => {
    const { code, stdout } = await hive(['check']);
    assert.equal(code, 0);
    assert.match(stdout, /hive\.json can be used/);
  });

  test('probes nothing unless told to, and then names what cannot be reached', async () => {
    const file = await writeConfig('probe.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    const [port] = await freePorts(1);
    const args = { base_url: `http://127.0.0.1:${port}`, max_connection_timeout: 1000 };
    config.connectors.pools.backend = { connector: 'connector.http', size: 1, overflow: 1, args };
    writeFileSync(file, JSON.stringify(config));
    assert.equal((await hive(['check', file])).code, 0);
    const probed = await hive(['check', file, '--probe']);
    assert.equal(probed.code, 1);
    assert.match(probed.stderr, /connectors_error: connectors\.pools\.backend: .*refused/i);
  });

  test('an unknown option and an unknown mode are told', async () => {
    const unknown = await hive(['check', '--prove']);
    assert.notEqual(unknown.code, 0);
    assert.match(unknown.stderr, /unknown option '--prove'\n\(Did you mean --probe\?\)/);
    const mode = await hive(['run', '--mode', 'fast']);
    assert.notEqual(mode.code, 0);
    assert.match(mode.stderr, /production or development/);
    const set = await hive(['check', '--set', 'hive.port']);
    assert.notEqual(set.code, 0);
    assert.match(set.stderr, /must be like hive\.port=9000/);
  });

  test('what the environment and the command line say is checked like the file, and named', async () => {
    const env = { HIVE__SOCKETIO__PNIG_TIMEOUT: '5', HIVE__HIVE__PORT: 'hunter2' };
    const { code, stderr } = await hive(['check', '--set', 'log.dri=x'], env);
    assert.equal(code, 1);
    assert.deepEqual(stderr.split('\n'), [
      'invalid_config: HIVE__SOCKETIO__PNIG_TIMEOUT: unknown key (did you mean "HIVE__SOCKETIO__PING_TIMEOUT"?)',
      'invalid_config: --set log.dri: unknown key (did you mean "--set log.dir"?)',
      'invalid_config: HIVE__HIVE__PORT: hive.port: "***" → must be an integer',
      'config/hive.json cannot be used: 3 problems.',
      '',
    ]);
  });

  describe('names each mistake with file, path and reason, and fails', () => {
    let results: Map<BadConfig, Awaited<ReturnType<typeof hive>>>;

    before(async () => {
      const finished = await inPairs(badConfigs, async (bad, index) => {
        const folder = join(directory, `bad${index}`);
        return [bad, await hive(['check', writeBadConfig(bad, folder)])] as const;
      });
      results = new Map(finished);
    });

    for (const bad of badConfigs) {
      test(bad.title, () => {
        const { code, stderr } = results.get(bad)!;
        assert.equal(code, 1, stderr);
        for (const { file = 'config.json', path, code: error, reason } of bad.expect) {
          const line = stderr
            .split('\n')
            .find((each) => each.startsWith(error) && each.includes(path) && each.includes(reason));
          assert.ok(line, `no line with ${error}, ${path}, ${reason} in\n${stderr}`);
          if (file !== '') assert.ok(line.includes(basename(file)), line);
        }
      });
    }
  });
});

describe('hive run', () => {
  test('says in one line when it is ready, and ends with 0 on SIGTERM and SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const node = await HiveProcess.run(await writeConfig('run.json'));
      const { code, stdout } = await node.stop(signal);
      assert.equal(code, 0);
      assert.match(
        stdout,
        /^hive hive@127\.0\.0\.1 is ready: clients http:\S+, api http:\S+, monitor http:\S+ \(sockets: \S+ .+\)\n$/,
      );
    }
  });

  test('does not start with a configuration that check refuses', async () => {
    const file = await writeConfig('refused.json', { max_client_slots: 0 });
    const { code, stdout, stderr } = await hive(['run', file]);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /^invalid_config: \S+refused\.json:\S+ hive\.max_client_slots: 0 → .*at least 1/);
  });

  for (const [section, label] of [
    ['hive', 'clients'],
    ['api', 'the API'],
    ['monitor', 'the monitor'],
  ] as const) {
    test(`a taken port for ${label} is one clear error, and nothing stays behind`, async () => {
      const file = await writeConfig(`taken-${section}.json`);
      const { port } = JSON.parse(readFileSync(file, 'utf8'))[section];
      const holder = createServer();
      await new Promise<void>((listening) => holder.listen(port, '127.0.0.1', listening));
      const { code, stderr } = await hive(['run', file]);
      await new Promise((closed) => holder.close(closed));
      assert.equal(code, 1);
      const [error, ...more] = stderr.split('\n').filter((line) => !line.startsWith('['));
      assert.match(error ?? '', new RegExp(`^port_taken: .*127\\.0\\.0\\.1:${port}`));
      assert.deepEqual(more, ['']);
    });
  }

  test('sockets that are forced and not to be had are one clear error', async () => {
    const { code, stdout, stderr } = await hive(['run', await writeConfig('sockets.json')], { HIVE_SOCKETS: 'none' });
    assert.deepEqual([code, stdout], [1, '']);
    assert.match(stderr, /^sockets_unavailable: HIVE_SOCKETS is none, which is none of .+\.\n$/);
  });

  test('a second node of the same name refuses to start and names it', async () => {
    const [epmd, one, two] = await freePorts(3);
    const cluster = (port: number | undefined) => ({
      epmd_port: epmd,
      cluster_port_min: port,
      cluster_port_max: port,
      cluster_nodes: ['other@127.0.0.1'],
    });
    const first = await HiveProcess.run(await writeConfig('first.json', cluster(one)));
    const { code, stderr } = await hive(['run', await writeConfig('second.json', cluster(two))]);
    assert.equal(code, 1);
    assert.match(stderr, /^name_taken: .*hive@127\.0\.0\.1/m);
    assert.equal((await first.stop()).code, 0);
  });

  test('a log directory that cannot be made is one clear error', async () => {
    const file = await writeConfig('nolog.json');
    const config = JSON.parse(readFileSync(file, 'utf8'));
    config.log.dir = join(file, 'below-a-file');
    writeFileSync(file, JSON.stringify(config));
    const { code, stderr } = await hive(['run', file]);
    assert.equal(code, 1);
    assert.match(stderr, /^file_error: .*below-a-file/);
  });
});

/** Two at a time: each is a process. */
async function inPairs<Item, Result>(
  items: readonly Item[],
  run: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await run(next[1], next[0]);
  };
  await Promise.all([worker(), worker()]);
  return results;
}
