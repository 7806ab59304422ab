/** Where and with what was measured. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

const readJson = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const installed = (name) => readJson(`../node_modules/${name}/package.json`).version;

export function describeMachine() {
  const memoryGb = Math.round(totalmem() / 1024 ** 3);
  return `${cpus().length} processors (${cpus()[0].model.trim()}), ${memoryGb} GB, Linux ${release()}`;
}

export function versions() {
  const peers = [
    'uWebSockets.js',
    'socket.io',
    '@socket.io/redis-adapter',
    '@socket.io/redis-streams-adapter',
    'ws',
    'undici',
    'ioredis',
  ];
  return {
    node: process.version.slice(1),
    hive: readJson('../../package.json').version,
    ...Object.fromEntries(peers.map((name) => [name, installed(name)])),
    redis: redisVersion(),
  };
}

function redisVersion() {
  try {
    return /v=(\S+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  } catch {
    return 'none';
  }
}
