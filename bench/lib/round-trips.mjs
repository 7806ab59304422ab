/** Clients that each send an event, wait for exactly this event, and send the next. */
import { NumberedEvent } from './messages.mjs';

export class RoundTrips {
  #clients;
  #done = 0;
  #sent = 0;
  #stopped = false;

  constructor(clients, name, fail) {
    this.#clients = clients.map((client) => this.#prepare(client, new NumberedEvent(name), fail));
  }

  /** Sends the first events; gives the load for the window. */
  start() {
    for (const send of this.#clients) send();
    return {
      count: () => this.#done,
      pending: () => this.#sent - this.#done,
      stop: () => {
        this.#stopped = true;
      },
    };
  }

  #prepare(client, event, fail) {
    let number = 0;
    let waiting = false;
    const send = () => {
      number += 1;
      event.number(number);
      waiting = true;
      this.#sent += 1;
      client.send(event.frame);
    };
    client.onEvent = (bytes, start, end) => {
      if (!waiting || !event.matches(bytes, start, end)) {
        fail(new Error(`wrong answer to event ${number}: ${bytes.latin1Slice(start, end)}`));
        return;
      }
      waiting = false;
      this.#done += 1;
      if (!this.#stopped) send();
    };
    return send;
  }
}
