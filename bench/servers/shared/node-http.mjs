/** The least HTTP API that publishes, on node:http: `POST /publish/<room>` with `{"name", "args"}`. Environment: `PORT`, if it is to be that one. */

const prefix = '/publish/';

export function servePublishing(server, publish) {
  server.on('request', (request, response) => {
    if (!request.url.startsWith(prefix)) return;
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const { name, args } = JSON.parse(Buffer.concat(chunks).toString());
      publish(request.url.slice(prefix.length), name, args);
      response.writeHead(200, { 'Content-Length': 0 }).end();
    });
  });
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`ready ${server.address().port}`));
}
