"""The HTTP server of the examples: it shows the page and, where there is a back end, answers Hive's hooks."""

import argparse
import json
import logging
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from answers import Answers
from metadata import BadMetadata, parse_metadata

log = logging.getLogger("backend")

SHARED = Path(__file__).resolve().parents[1] / "web"
CLIENT = Path(__file__).resolve().parents[3] / "dist/socket.io-client/socket.io.min.js"  # the build puts it there
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
MAX_BODY = 2_000_000  # bytes; more than the largest message a client may send


def page_files(web):
    """Path of the address -> file: the page's own, those of all examples under /shared/, and the Socket.IO client."""
    files = {f"/{file.name}": file for file in web.iterdir() if file.suffix in TYPES}
    files["/"] = files.pop("/index.html")
    files.update({f"/shared/{file.name}": file for file in SHARED.iterdir() if file.suffix in TYPES})
    files["/socket.io.min.js"] = CLIENT
    return files


class Server(ThreadingHTTPServer):
    """`web` is the folder of the page, `nodes` what it may connect to, `hooks` maps addresses to what answers with actions."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, web, nodes, hooks):
        super().__init__(address, Handler)
        self.files = page_files(web)
        self.nodes = nodes
        self.hooks = hooks
        self.answers = Answers()
        # The page may load from here and connect to the nodes, over HTTP and WebSocket, and do nothing else.
        sources = [source for node in nodes for source in (node["url"], "ws" + node["url"][len("http") :])]
        sources += [node["kill"] for node in nodes if "kill" in node]
        self.policy = f"default-src 'self'; connect-src 'self' {' '.join(sources)}; frame-ancestors 'none'"


class Handler(BaseHTTPRequestHandler):
    server_version = "HiveExample"
    protocol_version = "HTTP/1.1"
    timeout = 65  # seconds an idle connection is kept
    wbufsize = -1  # header and body leave in one piece
    disable_nagle_algorithm = True

    def do_GET(self):
        path = urlsplit(self.path).path
        if path == "/nodes":
            return self.reply(200, json.dumps(self.server.nodes).encode(), "application/json")
        if path in self.server.hooks:
            return self.fail(405, "hooks are called with POST")
        file = self.server.files.get(path)
        if file is None:
            return self.fail(404, "no such page")
        try:
            return self.reply(200, file.read_bytes(), TYPES[file.suffix])
        except FileNotFoundError:
            return self.fail(404, f"{file} is missing; `make build` in Hive's folder puts the Socket.IO client there")

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit():
            return self.fail(411, "Content-Length is missing", close=True)
        if int(length) > MAX_BODY:
            self.fail(413, f"the body is larger than {MAX_BODY} bytes", close=True)
            return self.discard(int(length))
        body = self.rfile.read(int(length))
        hook = self.server.hooks.get(urlsplit(self.path).path)
        if hook is None:
            return self.fail(404, "no such hook")
        if self.headers.get("Origin"):
            return self.fail(403, "hooks are for Hive, not for web pages")
        try:
            metadata = parse_metadata(body)
        except BadMetadata as error:
            return self.fail(400, str(error))
        try:
            answer = self.answer(hook, metadata)
        except Exception:  # one failed call must not end the connection that Hive keeps for the next ones
            log.exception("%s failed", self.path)
            return self.fail(500, "internal error")
        return self.reply(200, answer, "application/json")

    def answer(self, hook, metadata):
        def make():
            actions = hook(metadata)
            return json.dumps(actions).encode() if actions else b""

        key = self.headers.get("Idempotency-Key")
        if key is None:
            return make()
        # The hooks of one event send the same key to all their addresses.
        return self.server.answers.once((urlsplit(self.path).path, key), make)

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

    def discard(self, length):
        """Takes what is still coming, within limits: closing before that would reset the connection under the answer."""
        self.wfile.flush()
        self.connection.settimeout(1)
        left = min(length, 8 * MAX_BODY)
        try:
            while left > 0 and (part := self.rfile.read(min(left, 65536))):
                left -= len(part)
        except OSError:
            pass  # it has gone, or is too slow to be waited for

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


def _api_url(text):
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).hostname:
        raise argparse.ArgumentTypeError(f"{text!r} is not an http:// or https:// address")
    return text


def server_options(description):
    """A parser of the options that all servers have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8081, help="port to listen on (%(default)s)")
    parser.add_argument("--node", action="append", type=node, metavar="NAME=URL", help="client address of a node; may be repeated")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    return parser


def add_api_options(parser, key):
    """The options of servers that call the API; `key` is the one of the example's configuration."""
    parser.add_argument("--api", action="append", type=_api_url, metavar="URL", help="API of a node; may be repeated")
    parser.add_argument("--key", default=os.environ.get("HIVE_API_KEY", key), help=f"api.hash of the nodes (HIVE_API_KEY, or {key})")


def serve(options, web, hooks, beside=None):
    """Serves until SIGTERM or SIGINT; `beside(stopped)` runs meanwhile, in a thread of its own, until the event is set."""
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")
    try:
        server = Server((options.host, options.port), web, options.node, hooks)
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error.strerror}; --port names another one")
    stopped = threading.Event()

    def stop(*_signal):
        stopped.set()
        threading.Thread(target=server.shutdown).start()  # shutdown waits for the loop this handler interrupts

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if beside:
        threading.Thread(target=beside, args=(stopped,), daemon=True).start()
    print(f"the {'back end' if hooks else 'page'} is ready: http://{options.host}:{server.server_port}/", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
