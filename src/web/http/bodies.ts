/**
 * Bodies of requests. One that comes in a single piece is handed on as it is; of others the pieces are kept until the last one is
 * there, which takes as long as the sender likes. So what is kept of all bodies of a kind has a limit, too.
 */
import { HiveError } from '../../observe/errors.ts';
import { defer, type HttpResponse } from './http.ts';

/** A small fraction of the memory of any machine, and hundreds of bodies of usual size. */
const budgetBytes = 64 * 1024 * 1024;

/** However large one body may be, so many of them fit. */
const fullBodies = 8;

/** What may be kept of all unfinished bodies of a kind together. */
export class BodyBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  /** @param limitBytes of one body */
  constructor(limitBytes: number) {
    this.#maxBytes = Math.max(budgetBytes, fullBodies * limitBytes);
  }

  /** @returns whether there is room */
  take(bytes: number): boolean {
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** What becomes of a request's body. Called once, or not at all if the request has been answered before. */
export interface BodyReceiver {
  /** @param body valid during the call only: the library takes its memory back */
  received(body: Buffer): void;
  /**
   * @param error `payload_too_large`; `overloaded` beyond the budget; or `bad_request`, which nobody hears, if the client goes away
   *   meanwhile
   */
  failed(error: HiveError): void;
}

/** Waits for the whole body of a request, at most `limitBytes`. The request must not be answered before. */
export function receiveBody(res: HttpResponse, limitBytes: number, receiver: BodyReceiver, budget: BodyBudget): void {
  const body = new Incoming(res, limitBytes, receiver, budget);
  defer(res, () => body.aborted());
  res.onData((chunk, isLast) => body.add(chunk, isLast));
}

class Incoming {
  readonly #res: HttpResponse;
  readonly #limitBytes: number;
  readonly #receiver: BodyReceiver;
  readonly #budget: BodyBudget;
  #read = 0;
  #parts: Buffer[] | undefined;
  #keptBytes = 0;
  #isDone = false;

  constructor(res: HttpResponse, limitBytes: number, receiver: BodyReceiver, budget: BodyBudget) {
    this.#res = res;
    this.#limitBytes = limitBytes;
    this.#receiver = receiver;
    this.#budget = budget;
  }

  add(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#isDone) return;
    const bytes = chunk.byteLength;
    this.#read += bytes;
    if (this.#read > this.#limitBytes) {
      this.#fail(new HiveError('payload_too_large', `The body is larger than ${this.#limitBytes} bytes.`));
    } else if (isLast && !this.#parts) {
      this.#isDone = true;
      this.#receiver.received(Buffer.from(chunk));
    } else if (!this.#budget.take(bytes)) {
      this.#fail(new HiveError('overloaded', 'Too much of other bodies is under way.'));
    } else {
      this.#keptBytes += bytes;
      this.#parts ??= [];
      this.#parts.push(Buffer.from(Buffer.from(chunk)));
      if (!isLast) return;
      const body = Buffer.concat(this.#parts);
      this.#end();
      this.#receiver.received(body);
    }
  }

  aborted(): void {
    if (!this.#isDone) this.#fail(new HiveError('bad_request', 'The request was broken off.'));
  }

  #fail(error: HiveError): void {
    this.#end();
    // The rest of it is still coming.
    this.#res.isLast = true;
    this.#receiver.failed(error);
  }

  #end(): void {
    this.#isDone = true;
    this.#parts = undefined;
    this.#budget.giveBack(this.#keptBytes);
  }
}

/**
 * The whole body of a request, at most `limitBytes`.
 * @throws HiveError (rejection) as `receiveBody`
 */
export function readBody(res: HttpResponse, limitBytes: number, budget: BodyBudget): Promise<Buffer> {
  return new Promise((resolve, failed) => {
    receiveBody(res, limitBytes, { received: (body) => resolve(Buffer.from(body)), failed }, budget);
  });
}
