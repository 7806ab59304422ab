/** A machine per node: network namespaces on one bridge, between which links can be cut. Needs root. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from './programs.ts';

function ip(...args: string[]): void {
  execFileSync(findProgram('ip')!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Why there can be none here; false if there can. */
export function withoutNamespaces(): string | false {
  if (process.platform !== 'linux' || !findProgram('ip')) return 'needs Linux and ip, of the package iproute2';
  const name = `hive-${process.pid}-try`;
  try {
    ip('netns', 'add', name);
    ip('-n', name, 'link', 'add', 'try', 'type', 'bridge');
    return false;
  } catch (error) {
    return `needs the right to make network namespaces: ${String((error as { stderr?: Buffer }).stderr).trim()}`;
  } finally {
    try {
      ip('netns', 'del', name);
    } catch {
      // it was not made
    }
  }
}

export class Namespaces {
  readonly count: number;
  readonly #net = `10.213.${process.pid % 256}`;
  readonly #prefix = `hv${process.pid % 100_000}`;

  constructor(count: number) {
    this.count = count;
    const bridge = `${this.#prefix}b`;
    ip('link', 'add', bridge, 'type', 'bridge');
    ip('addr', 'add', `${this.#net}.254/24`, 'dev', bridge);
    ip('link', 'set', bridge, 'up');
    for (let i = 0; i < count; i += 1) {
      const [name, outside] = [this.#name(i), `${this.#prefix}v${i}`];
      ip('netns', 'add', name);
      ip('link', 'add', outside, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      ip('link', 'set', outside, 'master', bridge, 'up');
      ip('-n', name, 'addr', 'add', `${this.address(i)}/24`, 'dev', 'eth0');
      ip('-n', name, 'link', 'set', 'eth0', 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
  }

  #name(index: number): string {
    return `${this.#prefix}n${index}`;
  }

  address(index: number): string {
    return `${this.#net}.${index + 1}`;
  }

  /** The words in front of a command that is to run there. */
  through(index: number): string[] {
    return [findProgram('ip')!, 'netns', 'exec', this.#name(index)];
  }

  /** Gives them names, in order, by which all of them find each other. */
  name(names: readonly string[]): void {
    const lines = ['127.0.0.1 localhost', ...names.map((name, i) => `${this.address(i)} ${name}`)];
    for (let i = 0; i < this.count; i += 1) {
      // What is in this folder `ip netns exec` shows as if it were in /etc.
      const folder = this.#etc(i);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'hosts'), `${lines.join('\n')}\n`);
    }
  }

  #etc(index: number): string {
    return join('/etc/netns', this.#name(index));
  }

  /** From now on nothing passes between two of them, and nobody is told; both still reach the test. */
  cut(a: number, b: number): void {
    ip('-n', this.#name(a), 'route', 'add', 'blackhole', `${this.address(b)}/32`);
    ip('-n', this.#name(b), 'route', 'add', 'blackhole', `${this.address(a)}/32`);
  }

  heal(a: number, b: number): void {
    ip('-n', this.#name(a), 'route', 'del', 'blackhole', `${this.address(b)}/32`);
    ip('-n', this.#name(b), 'route', 'del', 'blackhole', `${this.address(a)}/32`);
  }

  remove(): void {
    for (let i = 0; i < this.count; i += 1) {
      // A namespace lives on while connections in it end, and its link would stay with it.
      ip('link', 'del', `${this.#prefix}v${i}`);
      ip('netns', 'del', this.#name(i));
      rmSync(this.#etc(i), { recursive: true, force: true });
    }
    ip('link', 'del', `${this.#prefix}b`);
  }
}
