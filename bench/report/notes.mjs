/** The prose of the report around the figures. */

export const method = `How to read this: absolute figures depend on the machine; ratios between contestants of one run are more portable. All
figures except those of memory and jitter are operations per second of **CPU time that the server used**, user and system time of all its threads. The number of
such seconds is below each table; they follow a warm-up. Server and load generator are pinned to a core each. Both columns "busy"
are fractions of wall-clock time. Where the generator is near 100 %, the server waited for it, which does not affect the server's figure. Figures are medians of
the runs; *spread* is the difference between the lowest and the highest run, relative to the median. The contestants take turns, each run with new processes. A
ratio is the median of the ratios per round, whose runs followed each other directly, so it is not always the ratio of the two medians.

All contestants transfer the same bytes: events are text frames of 100 bytes, \`42["echo",{"n":"0000001","text":"xxx…"}]\`, even for contestants that do not speak
Socket.IO. Clients and publishers work in closed loops: none sends the next message before the previous one has arrived everywhere. Every answer is
compared byte for byte, and every delivery is checked by sender, number and length; a lost, duplicated, altered or reordered message ends the run with an error. Contestants run with
their default settings, without compression. Hive runs as users run it: \`hive run\` with a configuration file, production mode, state in the client's actor.

The figures of memory, echo, publishes-confirmed, two-nodes, jitter, durable sessions and deploy were taken on a machine that was busy with other work, at a higher priority than that.`;

export const notes = {
  memory: `Growth of the resident set by 10,000 clients, after a full garbage collection, with 1,000 clients connected before; kernel buffers do not
count. Raw uWebSockets.js keeps a native socket and a topic. Hive adds the connection, the client's actor with its mailbox and its node in nact's hierarchy,
its state, the session tables and the channel's membership. socket.io adds two emitters and a client object with their listeners, and
two rooms per client, one for the client itself. On \`ws\` every client also has Node's own socket with both its streams, which is most of its cost. With recovery,
Hive notes per client when it joined which channel; what clients had been sent was forgotten before the measurement.`,

  'fan-out-1000': `16 messages are in flight at a time. On uWebSockets.js all contestants end up doing the same: they encode a message once and hand it to the
library, which copies it to each subscriber's frame buffer and sends each buffer once per iteration of the event loop. Nearly all time is spent in that
system call, so the code above the library has little influence: in Hive 8 % of the CPU time is JavaScript, in the raw server 5 %, so at most 0.97 ×
can be reached, and the rest of the difference is the variation between runs. Hive does not visit clients that only receive, neither for
\`/pubsub/publish\` nor for \`/pubsub/action\` with an action that only sends. On \`ws\` each message is one write per subscriber.`,

  'fan-out-5000': `As with 1,000 subscribers. The sockets no longer fit into the CPU caches, which makes each delivery more expensive for all contestants.`,

  echo: `100 clients with one event in flight each. More than half of Hive's time is the system call that sends the reply, which raw uWebSockets.js needs as well. On top of that,
Hive decodes the packet, sends a message to the client's actor and schedules it, runs the hook, and encodes the reply. The arguments' JSON text is checked, but neither
parsed nor serialized again. socket.io decodes and encodes the JSON and passes the event through three emitters. With recovery, each event is kept until there are 32 MiB of
them, which at this rate is less than a second, and most of the difference is garbage collection: objects that live just so long are the most expensive. With room for
64 KiB, Hive with recovery reaches 0.95 ×.`,

  connects: `Per connect: a TCP connection, the WebSocket upgrade, for Socket.IO the Engine.IO handshake and the connect packets, a closing handshake. Hive starts
and stops an actor under its supervisor each time, with links, metrics and the session's entries; socket.io creates its emitters. Raw uWebSockets.js
and \`ws\` only upgrade and close.`,

  publishes: `50 connections with one request in flight each; one client receives everything. The endpoint of the other servers does the minimum: it reads the body, parses
it, publishes and answers, without authentication. Hive's also checks the key, and passes the publication through the channel's actor, so that nothing overtakes it. It makes up
for that by doing less elsewhere: the event's JSON text is checked, but neither parsed nor serialized again, and a path that was found before is not
parsed again.`,

  'two-nodes': `The other servers run as three processes on one core: two servers, and Redis, through which all messages pass; the servers encode and decode them (MessagePack
in the adapter of socket.io). Hive's nodes send each other one message per node and publish, directly. The latencies are wall-clock times
with one message at a time, from the HTTP request to the arrival at the only subscriber, at the other node or at the same one. Request and delivery, which
are part of both, account for most of them. The difference is the cost of a hop between Hive's nodes: messages from another node are handled in the iteration of the event
loop that reads them. About 0.11 ms are system calls and the wake-up of processes that share a core, so half of what a message takes through
Redis would leave a few hundredths of a millisecond for the work of two nodes, in code that is cold for a single message. The last two columns are about messages to all 1,000: nodes share a core, so the
other node can hardly send before the first has served its 500.`,

  hook: `100 clients with one event in flight each. The back end is part of the load generator and answers at once. The other servers call it with \`undici.request\`, over
as many connections as there are clients; most of their time is spent in undici. Hive has one connection per worker of the pool: it writes the
request to the socket directly, and reads the answer with undici's parser. It also runs the pool, which limits requests and
their time, and checks the answer before it runs the actions. A third of the rest is system calls.`,

  'publishes-confirmed': `50 connections with one request in flight each, as with one node. Unconfirmed publishes (\`?confirm=node\`) are answered as soon as the first node
has them; the others when the second one has given them to its subscriber. A confirmation tells of all messages of an iteration of the event loop.`,

  relay: `All clients start their handshake at one node; then their WebSockets are opened at the same node (owner) or at the other. A relayed event passes three
connections each way instead of one, and the time of both nodes counts. Events of many clients share the messages between the nodes.`,

  'scale-echo': `Every client has one event in flight, so with 10,000 clients the kernel's tables, the sockets and the clients' objects no longer fit
into the CPU caches. Raw uWebSockets.js shows the cost of that almost without server code. In Hive the system call that sends takes twice as long with
10,000 clients as with 100: actors run after all sockets have been read, so thousands of other sockets are processed between reading from a socket and
writing to it. Running actors right after each message, or after every 64, was tried; it costs more than it saves.`,

  'scale-fan-out': `With 100 subscribers the publishing itself, one HTTP request each, is a larger part of a delivery than with 10,000; with 10,000 the
sockets no longer fit into the CPU caches. Raw uWebSockets.js shows both effects almost without server code.`,

  'sockets-echo': `The cost of the socket libraries, without and with Hive on top. On Node's own sockets, two thirds of the time are the system call that sends the
reply; Hive writes a frame in one piece, \`ws\` writes head and payload separately.`,

  'sockets-fan-out': `On Node's own sockets Hive frames a publish once for all subscribers, and everything that one iteration of the event loop has for a socket leaves in one write;
plain \`ws\` frames and writes each message for each subscriber.`,

  jitter: `After a quarter of a minute of the same, for a minute: 20 messages per second to the room and 100 to one client each, and 67 cuts per second. *Published* is the part of
the messages that were published in that time; a server that cannot keep up with the pace does less work. On uWebSockets.js, three quarters of the CPU time are the kernel's, which
sends the messages to the room, so that contestants can differ only by the rest. At each return socket.io searches all messages of the last minutes for the position; Hive goes back from the
newest message of each of the client's channels. Hive's timers and its watch of the event loop wake it up 150 times per second, whatever else there is to do, which takes about
a second of the minute. On uWebSockets.js, socket.io 4.8 does not subscribe a recovered client to the topics of its rooms, and the client would hear of them no more: the
application joins them again here.`,

  'jitter-silent': `Until a ping is not answered, socket.io takes the former connection for alive, and keeps nothing: the client is a new one, and misses what was sent meanwhile.
Hive gives the session to the new connection and closes the former one.`,

  'durable-fan-out': `With recovery in both; with durable sessions each message is stored in Redis before anybody sees it, and the time of Redis, on the same core, counts. All messages
of an iteration of the event loop are one command. What is left of the difference is that command, and that messages wait for Redis in batches of their own: the library sends each
subscriber what one iteration has for it in one system call, so fewer messages per iteration are more calls.`,

  'durable-echo': `100 clients with one event in flight each. Every reply is stored before it is sent, as its client might return and ask for it.`,

  'durable-latency': `One message at a time, to the only client, by \`pubsub/publish\` (publish) or \`clients/action\` (one): the time from the HTTP request to the arrival. A node with recovery and one with durable
sessions, on the same core as Redis, take turns, message by message, and so do the round trips: PING
over bare TCP, and PING with ioredis, by a third program there. The first 5,000 messages do not count: until its code is compiled, a node adds twice that.`,

  'durable-idle': `5,000 clients with one subscription that do nothing. Whatever the number of clients, a node renews its lease every 3.3 s and looks once a second whether other nodes are gone; INFO, with which that is
seen, is not counted.`,

  deploy: `Two servers with 2,000 clients behind a balancer, which takes turns and tries the other server if a connection is refused or answered with 503; 10 messages per second to all, and 20 per second to one client each. Both servers are
replaced, one after the other: *stop* sends SIGTERM, waits for the end of the process and starts a new one; *kill* sends SIGKILL. The next one follows 3 s after everybody is back. Clients that
are let go come back as socket.io-client does by default: after 0.5 to 1.5 s, later if that fails. All servers and Redis share one core. *Lost* and *twice* count deliveries of messages
that a server has accepted; *not recovered* counts clients that were given a new session at least once. Socket.IO keeps sessions and messages in Redis with \`@socket.io/redis-streams-adapter\` and
\`connectionStateRecovery\`; a client that returns has its server read and decode, twice, all messages since its position, whoever they were for, so that many who return at once take long. It stores a session when
its connection ends: one whose server is killed has none. Hive claims the sessions of a node that was killed when its lease of 10 s has ended, and clients that return wait for that.`,

  adoption: `Two servers, all clients at one of them and in one room, to which the other server publishes 20 messages per second, also while the first one is dead. *sessions*: with recovery, until all
sessions are there again, with what they have missed, ready for their clients; *departures*: without, until the HTTP back end has been told of the end of each. The server looks once a second for leases that
have ended, which is part of the time. *Blocked*: the longest that the event loop of the server did nothing else. Commands in scripts count as one each, the script as one more. Both servers, until
the first one is killed, and Redis share one core.`,
};
