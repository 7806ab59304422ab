#!/usr/bin/env python3
"""The back end of the distributed chat: answers Hive's hooks, pushes through the nodes' APIs and serves the page.

    python3 backend.py [--port 8081] [--api http://127.0.0.1:1235 --api http://127.0.0.1:2235] …

Python 3.9 or newer, standard library only. It listens on loopback: whoever can reach the hooks' addresses can pretend to be Hive.
"""

import argparse
import json
import logging
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from chat import Chat
from hive_api import HiveApi
from hooks import BadMetadata, Hooks, parse_metadata

log = logging.getLogger("backend")

HERE = Path(__file__).resolve().parent
WEB = HERE.parent / "web"
CLIENT = HERE.parents[2] / "node_modules/socket.io-client/dist/socket.io.min.js"
FILES = {
    "/": (WEB / "index.html", "text/html; charset=utf-8"),
    "/style.css": (WEB / "style.css", "text/css; charset=utf-8"),
    "/icon.svg": (WEB / "icon.svg", "image/svg+xml"),
    "/chat.js": (WEB / "chat.js", "text/javascript; charset=utf-8"),
    "/connection.js": (WEB / "connection.js", "text/javascript; charset=utf-8"),
    "/view.js": (WEB / "view.js", "text/javascript; charset=utf-8"),
    "/socket.io.min.js": (CLIENT, "text/javascript; charset=utf-8"),
}
HOOKS = ("authorize", "join", "leave", "message", "check_in", "leave_rooms", "free_nick")
MAX_BODY = 2_000_000  # bytes; more than the largest message a client may send


class Backend(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, hooks, nodes):
        super().__init__(address, Handler)
        self.endpoints = {f"/{name}": getattr(hooks, name) for name in HOOKS}
        self.nodes = nodes
        sources = [source for node in nodes for source in (node["url"], "ws" + node["url"][len("http") :])]
        self.policy = f"default-src 'self'; connect-src 'self' {' '.join(sources)}; frame-ancestors 'none'"


class Handler(BaseHTTPRequestHandler):
    server_version = "ChatBackend"
    protocol_version = "HTTP/1.1"
    timeout = 65  # seconds an idle connection is kept
    wbufsize = -1  # header and body leave in one piece
    disable_nagle_algorithm = True

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/nodes":
            return self.reply(200, json.dumps(self.server.nodes).encode(), "application/json")
        if path in self.server.endpoints:
            return self.fail(405, "hooks are called with POST")
        file, content_type = FILES.get(path, (None, None))
        if file is None:
            return self.fail(404, "no such page")
        try:
            return self.reply(200, file.read_bytes(), content_type)
        except FileNotFoundError:
            return self.fail(404, f"{file} is missing; `npm ci` in Hive's folder installs the Socket.IO client")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            return self.fail(411, "Content-Length is missing", close=True)
        if int(length) > MAX_BODY:
            return self.fail(413, f"the body is larger than {MAX_BODY} bytes", close=True)
        body = self.rfile.read(int(length))
        hook = self.server.endpoints.get(urlsplit(self.path).path)
        if hook is None:
            return self.fail(404, "no such hook")
        if self.headers.get("Origin"):
            return self.fail(403, "hooks are for Hive, not for web pages")
        try:
            metadata = parse_metadata(body)
        except BadMetadata as error:
            return self.fail(400, str(error))
        try:
            actions = hook(metadata)
        except Exception:  # one failed call must not end the connection that Hive keeps for the next ones
            log.exception("%s failed", self.path)
            return self.fail(500, "internal error")
        return self.reply(200, json.dumps(actions).encode() if actions else b"", "application/json")

    def reply(self, status, body, content_type, close=False):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Content-Security-Policy", self.server.policy)
        if close:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def fail(self, status, description, close=False):
        self.reply(status, json.dumps({"error": description}).encode(), "application/json", close)

    def log_request(self, code="-", size="-"):
        log.debug("%s %s", self.requestline, code)

    def log_message(self, format, *args):  # the base class's name for it
        log.info(format, *args)


def node(text):
    name, separator, url = text.partition("=")
    if not name or not separator or urlsplit(url).scheme not in ("http", "https"):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL")
    return {"name": name, "url": url.rstrip("/")}


def api_url(text):
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not an http:// or https:// address")
    return text


def arguments():
    parser = argparse.ArgumentParser(description="Back end of Hive's distributed chat example")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="port to listen on (%(default)s)")
    parser.add_argument("--api", action="append", type=api_url, metavar="URL", help="API of a node; may be repeated")
    parser.add_argument("--key", default="distributed-chat-api-key", help="api.hash of the nodes")
    parser.add_argument("--node", action="append", type=node, metavar="NAME=URL", help="client address of a node; may be repeated")
    parser.add_argument("--sweep", type=float, default=10, metavar="SECONDS", help="how often to look for dead sessions (%(default)s)")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    options = parser.parse_args()
    options.api = options.api or ["http://127.0.0.1:1235", "http://127.0.0.1:2235"]
    options.node = options.node or [node("node1=http://127.0.0.1:8080"), node("node2=http://127.0.0.1:8079")]
    return options


def main():
    options = arguments()
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")
    hooks = Hooks(Chat(), HiveApi(options.api, options.key))
    try:
        server = Backend((options.host, options.port), hooks, options.node)
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error.strerror}; --port names another one")
    stopped = threading.Event()

    def keep_house():
        hooks.ask_for_check_in()
        while not stopped.wait(options.sweep):
            try:
                hooks.sweep()
            except Exception:  # the next round may fare better
                log.exception("the sweep failed")

    def stop(*_signal):
        stopped.set()
        threading.Thread(target=server.shutdown).start()  # shutdown waits for the loop this handler interrupts

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=keep_house, daemon=True).start()
    print(f"the back end is ready: http://{options.host}:{server.server_port}/", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
