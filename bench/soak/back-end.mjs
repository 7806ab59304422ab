/** The back end of the chat: who enters is greeted by action, what is said is published through the API. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';

export class BackEnd {
  /** Where the node's API is; set when the node runs. */
  api;
  said = 0;
  left = 0;
  #server = createServer((request, response) => {
    this.#answer(request).then(
      (actions) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(actions)),
      (error) => response.writeHead(500).end(error.message),
    );
  });

  /** Listens; gives the base URL. */
  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request) {
    const { sid, trigger, state } = await json(request);
    switch (request.url) {
      case '/enter':
        return [
          { action: 'store', args: { nick: sid } },
          { action: 'send', args: { name: 'entered', args: [sid] } },
        ];
      case '/say':
        this.said += 1;
        await this.#publish(trigger.args[0], { name: 'said', args: [{ nick: state.nick, n: trigger.args[1] }] });
        return [];
      case '/left':
        if (state.nick !== null) this.left += 1;
        return [];
      default:
        throw new Error(`nobody asked for ${request.url}`);
    }
  }

  async #publish(room, event) {
    const answer = await fetch(`${this.api}/pubsub/publish/${room}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(event),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`the API answered ${answer.status} ${text}`);
  }
}
