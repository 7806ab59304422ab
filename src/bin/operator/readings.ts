/** Reading a node's metric tree as the monitor sends it. */
import type { HistogramSummary } from '../../observe/histogram.ts';
import { isNumber, type Shape, withMembers } from './shapes.ts';

/** A histogram's leaf. */
export type Latency = HistogramSummary;

export interface PoolReading {
  /** Its kind and its name, `http.backend`. */
  readonly name: string;
  readonly workers: number;
  readonly busy: number;
  readonly waiting: number;
  readonly requests: number;
  readonly errors: number;
  /** Redis only: workers that have a connection. */
  readonly connected: number | undefined;
  readonly latency: Latency | undefined;
}

const isLatency = withMembers<Pick<Latency, 'count' | 'p50' | 'p99' | 'max'>>({
  count: isNumber,
  p50: isNumber,
  p99: isNumber,
  max: isNumber,
}) as Shape<Latency>;

const poolNumbers = ['workers', 'busy', 'waiting', 'requests', 'errors'] as const;

export class Readings {
  readonly #tree: unknown;

  constructor(tree: unknown) {
    this.#tree = tree;
  }

  /** 0 if there is no such number. */
  number(path: string): number {
    const value = this.#at(path);
    return typeof value === 'number' ? value : 0;
  }

  has(path: string): boolean {
    return this.#at(path) !== undefined;
  }

  names(path: string): readonly string[] {
    const value = this.#at(path);
    return Array.isArray(value) ? value.map(String) : [];
  }

  latency(path: string): Latency | undefined {
    const value = this.#at(path);
    return isLatency(value) ? value : undefined;
  }

  /** All back-end pools. A pool's name may have dots, so it is known by what it shows. */
  pools(): PoolReading[] {
    const found: PoolReading[] = [];
    const look = (tree: unknown, path: readonly string[]): void => {
      const readings = new Readings(tree);
      if (isNumber(member(tree, 'workers')) && isNumber(member(tree, 'requests'))) {
        const [workers, busy, waiting, requests, errors] = poolNumbers.map((name) => readings.number(name));
        const connected = readings.has('connected') ? readings.number('connected') : undefined;
        const latency = readings.latency('latency');
        found.push({
          name: path.join('.'),
          workers,
          busy,
          waiting,
          requests,
          errors,
          connected,
          latency,
        } as PoolReading);
        return;
      }
      for (const [name, inner] of sectionsOf(tree)) look(inner, [...path, name]);
    };
    look(this.#at('connectors'), []);
    return found;
  }

  #at(path: string): unknown {
    return path === '' ? this.#tree : path.split('.').reduce(member, this.#tree);
  }
}

function member(tree: unknown, name: string): unknown {
  return typeof tree === 'object' && tree !== null && Object.hasOwn(tree, name) ? Reflect.get(tree, name) : undefined;
}

function sectionsOf(tree: unknown): [string, unknown][] {
  return typeof tree === 'object' && tree !== null && !Array.isArray(tree) ? Object.entries(tree) : [];
}
