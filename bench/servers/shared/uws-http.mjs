/** The least HTTP API that publishes, on uWebSockets.js: `POST /publish/<room>` with `{"name", "args"}`. */
import uWS from 'uWebSockets.js';

export function servePublishing(app, publish) {
  app.post('/publish/:room', (res, req) => {
    const room = req.getParameter(0);
    res.onAborted(() => {});
    let before;
    res.onData((chunk, isLast) => {
      const piece = Buffer.from(chunk);
      if (!isLast) {
        before = before ? Buffer.concat([before, piece]) : Buffer.from(piece);
        return;
      }
      const { name, args } = JSON.parse((before ? Buffer.concat([before, piece]) : piece).toString());
      publish(room, name, args);
      res.end();
    });
  });
  app.listen('127.0.0.1', 0, 1, (token) => {
    console.log(`ready ${uWS.us_socket_local_port(token)}`);
  });
}
