/** An HTTP back end that answers what a test wants, and remembers what it was asked. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** Before it answers. */
  readonly delayMs?: number;
}

export class BackEnd {
  readonly asked: Asked[] = [];
  /** By path; anything else gets an empty answer. */
  readonly answers = new Map<string, Answer | ((asked: Asked) => Answer | Promise<Answer>)>();
  readonly #server: Server;
  #wake: (() => void)[] = [];
  #port = 0;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const { method = '', url: path = '', headers } = request;
      const asked = { method, path, headers, body };
      this.asked.push(asked);
      for (const wake of this.#wake.splice(0)) wake();
      const found = this.answers.get(path) ?? {};
      const answer = typeof found === 'function' ? await found(asked) : found;
      if (answer.delayMs) await new Promise((resolve) => setTimeout(resolve, answer.delayMs));
      const text = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body ?? '');
      response.writeHead(answer.status ?? 200).end(answer.body === undefined ? '' : text);
    });
  }

  static async start(): Promise<BackEnd> {
    const backEnd = new BackEnd();
    await new Promise<void>((listening) => backEnd.#server.listen(0, '127.0.0.1', listening));
    return backEnd;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The first request for a path, also one that came before. */
  async request(path: string): Promise<Asked> {
    for (;;) {
      const found = this.asked.find((asked) => asked.path === path);
      if (found) return found;
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  /** Refuses connections, and closes those that are there, until `comeBack`. */
  async goAway(): Promise<void> {
    this.#port = Number(new URL(this.url).port);
    await this.stop();
  }

  async comeBack(): Promise<void> {
    await new Promise<void>((listening) => this.#server.listen(this.#port, '127.0.0.1', listening));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((closed) => this.#server.close(closed));
  }
}
