"""The Python client of the HTTP API, told what to call: JSON lines in, JSON lines out."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parents[2] / "clients/python"))

from hive_push import HiveClient, HiveError  # noqa: E402

hive = HiveClient(**json.loads(sys.argv[1]))
for line in sys.stdin:
    method, args, options = json.loads(line)
    try:
        value = getattr(hive, method)(*args, **options)
        answer = {"value": list(value) if isinstance(value, Iterator) else value}
    except HiveError as error:
        failure = {"status": error.status, "code": error.code, "mayHaveHappened": error.may_have_happened}
        answer = {"error": {**failure, "message": str(error)}}
    print(json.dumps(answer), flush=True)
