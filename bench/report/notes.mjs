/** What stands in the report around the figures. */

export const method = `How to read this: absolute figures belong to the machine they were measured on, ratios between contestants of one run travel better. All
figures but those of memory are operations per second of **processor time that the server used**, user and system time of all its threads, over the number of
such seconds that is named below each table, after a warm-up. The server has one processor to itself, the load generator another; both columns "busy"
are parts of the time on the clock, and where the generator is near 100 % the server waited for it, which costs the server nothing here. Figures are medians of
the runs; *spread* is the distance from the least to the greatest run, relative to the median. The contestants take turns, each run with new processes; a
ratio is the median of those of the rounds, in which both ran shortly after one another, so it is not always that of the two medians.

Everybody moves the same bytes: events are text frames of 100 bytes, \`42["echo",{"n":"0000001","text":"xxx…"}]\`, also for the contestants that speak no
Socket.IO. Clients and publishers work in closed loops: nobody sends the next before the one before has arrived everywhere. Every answer is
compared byte for byte, every delivery by sender, number and length; anything lost, doubled, altered or out of order ends the run with an error. Contestants run with
their default settings, without compression. Hive runs as users run it: \`hive run\` with a configuration file, production mode, state in the client's actor.`;

export const notes = {
  memory: `Growth of the resident set by 10,000 clients, after a full collection, with 1,000 clients there before; buffers in the kernel do not
count. Raw uWebSockets.js keeps a native socket and a topic. Hive adds the connection, the client's actor with its mailbox and its node in nact's hierarchy,
its state, the session tables and the channel's membership; socket.io adds two emitters and a client object with their listeners, and
two rooms per client, one for itself. On \`ws\` every client also has Node's own socket with both its streams, which is most of what it costs.`,

  'fan-out-1000': `16 messages are under way at a time. On uWebSockets.js all contestants do the same in the end: they encode a message once and hand it to the
library, which writes it into each subscriber's frame buffer and sends each buffer once per turn of the event loop. Nearly all time is spent in that
system call, so what stands above the library shows little: in Hive 8 % of the processor's time is JavaScript, in the raw server 5 %, so 0.97 × is
what there is to reach, and the rest of the difference is that of the runs. Hive's clients that only receive are not visited at all, neither for
\`/pubsub/publish\` nor for \`/pubsub/action\` with an action that only sends. On \`ws\` each message is a write per subscriber.`,

  'fan-out-5000': `As with 1,000 subscribers. More sockets than the processor caches hold make each delivery dearer for everybody.`,

  echo: `100 clients with one event under way each. More than half of Hive's time is the system call that sends the reply, which raw uWebSockets.js needs as well. What
Hive adds is decoding the packet, a letter to the client's actor with its turn, the hook, and encoding; the arguments' JSON text is checked, but neither
parsed nor put together anew. socket.io decodes and encodes the JSON, and passes the event through three emitters.`,

  connects: `Per connect: a TCP connection, the WebSocket upgrade, for Socket.IO the Engine.IO handshake and the connect packets, a closing handshake. Hive starts
and stops an actor under its supervisor each time, with links, metrics and the session's entries; socket.io builds its emitters. Raw uWebSockets.js
and \`ws\` only upgrade and close.`,

  publishes: `50 connections with one request under way each; one client receives everything. The peers' endpoint is the least that works: read the body, parse
it, publish, answer, for whoever asks. Hive's checks the key too, and passes the publication through the channel's actor, so that nothing overtakes it. It makes up
for that by what it does not do: the event's JSON text is checked, but neither parsed nor put together anew, and a path that was found before is not
taken apart again.`,

  'two-nodes': `Three processes on one processor for the peers: two servers and Redis, which all messages pass; the servers encode and decode them (MessagePack
in the adapter of socket.io). Hive's nodes speak to each other directly, one message per node and publish. The times are measured on the
clock with one message at a time, from the HTTP request to the arrival at the only subscriber, at the other node or at the same one: request and delivery, which
are in both, are most of them. What a hop between Hive's nodes adds is their difference: letters of another node are handled in the round of the event
loop that reads them. About 0.11 ms are system calls and the waking of processes that share a processor, so half of what a message takes through
Redis would leave a few hundredths of a millisecond for the work of two nodes, in code that a single message finds cold.`,

  hook: `100 clients with one event under way each. The back end is part of the load generator and answers at once. The peers ask it with \`undici.request\`, over
as many connections as there are clients; most of their time is undici's. Hive has a connection of its own for each worker of the pool: the request is
written to the socket as it is, and the answer is read with the parser that undici brings along. It also runs the pool, which bounds requests and
their time, and checks the answer before it obeys. A third of what remains are system calls.`,

  relay: `All clients begin their handshake at one node; then their WebSockets are opened at the same node (owner) or at the other. A relayed event passes three
connections each way instead of one, and both nodes' time counts. Events of many clients share the messages between the nodes.`,

  'scale-echo': `Every client has one event under way, so with 10,000 clients the kernel's tables, the sockets and the clients' objects no longer fit
the processor's caches. Raw uWebSockets.js shows what that costs without any server code of note. In Hive the system call that sends takes twice as long with
10,000 clients as with 100: actors have their turns when all sockets have been read, so thousands of other sockets lie between reading from one and
writing to it. Turns right after each message, or after every 64, were tried: they cost more than they bring.`,

  'scale-fan-out': `With 100 subscribers the publishing itself, an HTTP request each, is a larger part of a delivery than with 10,000; with 10,000 the
sockets no longer fit the caches. Raw uWebSockets.js shows both without any server code of note.`,

  'sockets-echo': `What the socket libraries cost, without Hive and below it. On Node's own, two thirds of the time are the system call that sends the
reply; frames are written in one piece, \`ws\` writes head and payload.`,

  'sockets-fan-out': `On Node's own a publish is framed once for all subscribers, and what one round of the event loop has for a socket leaves in one write;
plain \`ws\` frames and writes each message for each.`,
};
