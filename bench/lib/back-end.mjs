/** The HTTP back end of the hooks: actions that the client be sent its own event. It is part of the load generator. */
import uWS from 'uWebSockets.js';
import { activity } from './spin.mjs';

const host = '127.0.0.1';

export class BackEnd {
  #token;
  requests = 0;

  /** Listens; gives the base URL. */
  start() {
    const app = uWS.App();
    app.post('/hook', (res) => {
      res.onAborted(() => {});
      let body = '';
      res.onData((chunk, isLast) => {
        activity.count += 1;
        body += Buffer.from(chunk).toString();
        if (!isLast) return;
        this.requests += 1;
        const { trigger } = JSON.parse(body);
        res.cork(() => {
          res.writeHeader('Content-Type', 'application/json');
          res.end(JSON.stringify([{ action: 'send', args: trigger }]));
        });
      });
    });
    app.post('/gone', (res) => {
      res.onAborted(() => {});
      res.onData((_, isLast) => {
        if (!isLast) return;
        this.requests += 1;
        res.cork(() => res.writeStatus('204').end());
      });
    });
    return new Promise((resolve) => {
      app.listen(host, 0, 1, (token) => {
        this.#token = token;
        this.url = `http://${host}:${uWS.us_socket_local_port(token)}`;
        resolve(this.url);
      });
    });
  }

  stop() {
    uWS.us_listen_socket_close(this.#token);
  }
}
