"""A Socket.IO client in Python that does as it is told: JSON lines in, JSON lines out. Bytes are {"_binary": base64}."""

import base64
import json
import os
import sys
import threading

import socketio
from socketio import packet

client = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.2, randomization_factor=0)
lock = threading.Lock()


def tell(*line):
    with lock:
        print(json.dumps(line), flush=True)


def to_json(value):
    if isinstance(value, bytes):
        return {"_binary": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [to_json(element) for element in value]
    return value


def from_json(value):
    if isinstance(value, dict) and "_binary" in value:
        return base64.b64decode(value["_binary"])
    if isinstance(value, list):
        return [from_json(element) for element in value]
    return value


def acknowledged(call):
    return lambda *args: tell("ack", call, to_json(args))


def answer(*args):
    tell("event", "ask", to_json(args))
    return tuple(args)


client.on("connect", lambda: tell("connect"))
client.on("disconnect", lambda: tell("disconnect"))
client.on("ask", answer)
for name in ("echo", "news"):
    client.on(name, lambda *args, name=name: tell("event", name, to_json(args)))

client.connect(sys.argv[1], transports=sys.argv[2].split(","))
for line in sys.stdin:
    command, *rest = json.loads(line)
    if command == "emit":
        name, args, call = rest
        client.emit(name, tuple(from_json(args)), callback=acknowledged(call) if call is not None else None)
    else:
        # The library drops its farewell if it comes while another request is under way: so it is sent and waited for first.
        for namespace in list(client.namespaces):
            client._send_packet(client.packet_class(packet.DISCONNECT, namespace=namespace))
        # Of a connection that was lost meanwhile nobody takes anything: it is not waited for longer.
        sent = threading.Thread(target=client.eio.queue.join, daemon=True)
        sent.start()
        sent.join(2)
        leaving = threading.Thread(target=client.disconnect, daemon=True)
        leaving.start()
        leaving.join(2)
        sys.stdout.flush()
        os._exit(0)
