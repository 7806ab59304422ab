#!/usr/bin/env python3
"""Serves the page of the ping example; it is no back end, for the example has none.

    python3 page.py [--port 8081] [--node ping=http://127.0.0.1:8080]

Python 3.9 or newer, standard library only.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "shared/backend"))

from server import node, serve, server_options


def main():
    options = server_options("The page of Hive's ping example").parse_args()
    options.node = options.node or [node("ping=http://127.0.0.1:8080")]
    serve(options, HERE / "web", hooks={})


if __name__ == "__main__":
    main()
