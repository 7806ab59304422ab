// @ts-check
/** A back end that prints the context which it gets, and has Hive greet the client. */
import { createServer } from 'node:http';

const port = Number(process.argv[2] ?? 8081);

createServer(async (request, response) => {
  for await (const _ of request);
  console.log(`${request.method} ${request.url} traceparent: ${request.headers.traceparent}`);
  const greeting = { action: 'send', args: { name: 'greeting', args: ['Hello'] }, trigger_id: '' };
  response.end(JSON.stringify([greeting]));
}).listen(port, '127.0.0.1', () => console.log(`back end on port ${port}`));
