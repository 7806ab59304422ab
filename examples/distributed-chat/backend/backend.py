#!/usr/bin/env python3
"""The back end of the distributed chat: answers Hive's hooks, pushes through the nodes' APIs and serves the page.

    python3 backend.py [--port 8081] [--api http://127.0.0.1:1235 --api http://127.0.0.1:2235] …

Python 3.9 or newer, standard library only. It listens on loopback: whoever can reach the hooks' addresses can pretend to be Hive.
"""

import logging
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / "shared/backend"))

from chat import Chat
from hive_api import HiveApi
from hooks import Hooks
from server import add_api_options, node, serve, server_options

log = logging.getLogger("backend")

HOOKS = ("authorize", "join", "leave", "message", "check_in", "away", "back", "leave_rooms", "free_nick")


def arguments():
    parser = server_options("Back end of Hive's distributed chat example")
    add_api_options(parser, key="distributed-chat-api-key")
    parser.add_argument("--sweep", type=float, default=10, metavar="SECONDS", help="how often to look for dead sessions (%(default)s)")
    parser.add_argument("--kill", metavar="URL", help="where the page can have a node killed: its name is appended, and a POST does it")
    options = parser.parse_args()
    options.api = options.api or ["http://127.0.0.1:1235", "http://127.0.0.1:2235"]
    options.node = options.node or [node("node1=http://127.0.0.1:8080"), node("node2=http://127.0.0.1:8079")]
    for each in options.node if options.kill else []:
        each["kill"] = options.kill + each["name"]
    return options


def main():
    options = arguments()
    hooks = Hooks(Chat(), HiveApi(options.api, options.key))

    def keep_house(stopped):
        hooks.ask_for_check_in()
        while not stopped.wait(options.sweep):
            try:
                hooks.sweep()
            except Exception:  # the next round may fare better
                log.exception("the sweep failed")

    serve(options, HERE.parent / "web", {f"/{name}": getattr(hooks, name) for name in HOOKS}, beside=keep_house)


if __name__ == "__main__":
    main()
