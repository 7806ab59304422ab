"""Calls to a cluster of nodes, any of which serves any call: to the one that answered last, and to the others when it does not."""

import http.client
import json
import socket
import threading
import uuid
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence, Union
from urllib.parse import quote, urlencode, urlsplit

# Answers of a node that cannot serve the call now, though another one may. The call had no effect.
_TURNED_AWAY = ("router_error", "not_running")
# Of a proxy that has not got an answer from the node behind it.
_OF_PROXIES = (502, 503, 504)


class HiveError(Exception):
    """The API refused the call; or, with the status 0 and the code "unreachable", no node answered.

    `may_have_happened` tells whether the call may have been carried out all the same.
    """

    def __init__(self, status: int, code: str, description: str, may_have_happened: bool = False):
        super().__init__(f"{code} ({status}): {description}" if status else description)
        self.status = status
        self.code = code
        self.description = description
        self.may_have_happened = may_have_happened

    @property
    def is_of_that_node(self) -> bool:
        """Whether another node may serve the call."""
        return self.status == 0 or self.code in _TURNED_AWAY or (self.code == "unknown" and self.status in _OF_PROXIES)


class Calls:
    """Can be used by several threads. Each call has a connection of its own."""

    def __init__(self, urls: Union[str, Iterable[str]], key: str, timeout: float, exactly_once: bool):
        self._nodes = [urlsplit(url.rstrip("/")) for url in ([urls] if isinstance(urls, str) else urls)]
        if not self._nodes or any(node.scheme not in ("http", "https") or not node.hostname for node in self._nodes):
            raise ValueError("urls must name nodes, such as http://127.0.0.1:1235")
        if not key:
            raise ValueError("key must be the key of the HTTP API")
        self._key = key
        self._timeout = timeout
        self._exactly_once = exactly_once
        self._lock = threading.Lock()
        self._working = 0  # index of the node that answered last

    def call(
        self,
        method: str,
        segments: Sequence[str],
        *,
        query: Optional[Mapping[str, Any]] = None,
        body: Any = None,
        text: Optional[str] = None,
        is_repeatable: Optional[bool] = None,
        is_of_one_node: bool = False,
        timeout: Optional[float] = None,
        exactly_once: Optional[bool] = None,
        idempotency_key: Optional[str] = None,
    ) -> Any:
        """`is_repeatable`: to carry it out twice is the same as once; `is_of_one_node`: it concerns the node that is asked, so the
        first one is, and no other."""
        if is_repeatable is None:
            is_repeatable = method == "GET"
        if exactly_once is None:
            exactly_once = self._exactly_once
        if idempotency_key is None and exactly_once and not is_repeatable:
            idempotency_key = str(uuid.uuid4())
        headers = {"Authorization": f"Bearer {self._key}"}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        if body is not None:
            headers["Content-Type"] = "application/json"
            text = json.dumps(body)
        request = (method, "/".join(map(_segment, segments)) + _query(query or {}), text, headers)
        failure: Optional[HiveError] = None
        for at in [0] if is_of_one_node else self._in_order():
            try:
                answer = _ask(self._nodes[at], request, self._timeout if timeout is None else timeout)
            except HiveError as error:
                if not error.is_of_that_node or (error.may_have_happened and not is_repeatable and idempotency_key is None):
                    raise
                failure = error
                continue
            if not is_of_one_node:
                with self._lock:
                    self._working = at
            return answer
        assert failure is not None
        raise failure

    def rows(self, segments: Sequence[str], name: str, query: Mapping[str, Any]) -> Iterator[Any]:
        """All rows of a list, page by page."""
        cursor: Optional[str] = ""
        while cursor is not None:
            page = self.call("GET", segments, query={**query, "limit": 1000, "cursor": cursor or None})
            yield from page[name]
            cursor = page["cursor"]

    def _in_order(self) -> "list[int]":
        """The indices of the nodes, in the order in which they are asked."""
        with self._lock:
            first = self._working
        return [(first + index) % len(self._nodes) for index in range(len(self._nodes))]


def _ask(node: Any, request: "tuple[str, str, Optional[str], dict[str, str]]", timeout: float) -> Any:
    method, path, text, headers = request
    kind = http.client.HTTPSConnection if node.scheme == "https" else http.client.HTTPConnection
    connection = kind(node.hostname, node.port, timeout=timeout)
    where = f"{node.scheme}://{node.netloc}"
    try:
        try:
            connection.connect()
        except OSError as error:
            raise HiveError(0, "unreachable", f"{where} does not answer: {error}") from error
        try:
            connection.request(method, f"{node.path}/api/{path}", None if text is None else text.encode(), headers)
            response = connection.getresponse()
            answer = response.read().decode("utf-8", "replace")
        except socket.timeout as error:
            description = f"{where} does not answer within {timeout} s"
            raise HiveError(0, "unreachable", description, may_have_happened=True) from error
        except (OSError, http.client.HTTPException) as error:
            raise HiveError(0, "unreachable", f"{where} does not answer: {error!r}", may_have_happened=True) from error
    finally:
        connection.close()
    if 200 <= response.status < 300:
        if answer == "":
            return None
        is_json = (response.getheader("Content-Type") or "").startswith("application/json")
        return json.loads(answer) if is_json else answer
    code, description = _error(answer)
    may_have_happened = response.status >= 500 and code not in _TURNED_AWAY
    raise HiveError(response.status, code, description, may_have_happened)


def _error(text: str) -> "tuple[str, str]":
    """Code and description in the body of the API's error answer."""
    try:
        body = json.loads(text)
        return str(body["error"]), str(body["description"])
    except (ValueError, KeyError, TypeError):
        return "unknown", text[:200]  # not the answer of a node: that of a proxy, perhaps


def _segment(segment: str) -> str:
    if not segment:
        raise ValueError("an id is empty")
    return quote(segment, safe="")


def _query(query: Mapping[str, Any]) -> str:
    known = {name: _word(value) for name, value in query.items() if value is not None and value is not False}
    return f"?{urlencode(known)}" if known else ""


def _word(value: Any) -> str:
    return "true" if value is True else str(value)
