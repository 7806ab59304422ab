import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError, formatProblem } from '../../../src/config/problem.ts';
import { badConfigs } from '../../support/bad-configs/all.ts';
import { writeBadConfig } from '../../support/bad-configs/bad-config.ts';
import { importPlugins } from '../../support/catalogue.ts';

describe('each mistake is named with file, path, code and reason', () => {
  for (const bad of badConfigs) {
    test(bad.title, async () => {
      const directory = mkdtempSync(join(tmpdir(), 'hive-config-'));
      try {
        const main = writeBadConfig(bad, directory);
        const problems = await problemsOf(main);
        const lines = problems.map(formatProblem).join('\n');
        for (const { file = 'config.json', path, code, reason, suggestion } of bad.expect) {
          const match = problems.find((problem) => {
            const name = problem.file === undefined ? '' : relative(dirname(main), problem.file);
            return name === file && problem.path === path && problem.code === code && problem.reason.includes(reason);
          });
          assert.ok(match, `no problem ${file}: ${path} → ${reason} (${code}) in\n${lines}`);
          if (suggestion !== undefined) assert.equal(match.suggestion, suggestion);
        }
        assert.equal(problems.length, bad.expect.length, lines);
        assert.doesNotMatch(lines, /hunter2/);
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  }
});

async function problemsOf(main: string) {
  try {
    await loadConfig(main, { importPlugins, env: {} });
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
  return assert.fail('the configuration loads');
}
