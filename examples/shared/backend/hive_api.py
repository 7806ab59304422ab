"""Calls to Hive's HTTP API: any node of the cluster serves any call, so the next one is asked when one fails."""

import http.client
import json
import logging
import threading
from urllib.parse import quote, urlsplit

log = logging.getLogger("hive_api")


class ApiError(Exception):
    """The API refused the call (`status`, `code`), or no node answered (`status` 0, `code` "unreachable")."""

    def __init__(self, status, code, description):
        super().__init__(f"{code} ({status}): {description}" if status else description)
        self.status = status
        self.code = code


class HiveApi:
    """`urls` are the nodes' API addresses, `timeout` the seconds that a node may take to accept a call or to answer it."""

    def __init__(self, urls, key, timeout=2.0):
        self._urls = [url.rstrip("/") for url in urls]
        self._key = quote(key, safe="")
        self._timeout = timeout
        self._lock = threading.Lock()
        self._working = 0  # index of the node that answered last

    def publish(self, channel, event):
        """Sends an event to every subscriber of a channel, on whatever node."""
        self._call(f"/pubsub/publish/{quote(channel, safe='')}", event)

    def act_on_channel(self, channel, actions):
        """Lets every subscriber's client execute actions."""
        self._call(f"/pubsub/action/{quote(channel, safe='')}", actions)

    def act(self, sid, actions):
        """Lets one client execute actions."""
        self._call(f"/clients/action/{quote(sid, safe='')}", actions)

    def is_gone(self, sid):
        """Whether the session has certainly ended: every node that answers says so. The client gets a `still_there` event."""
        probe = {"action": "send_event", "args": {"name": "still_there", "args": [{}]}}
        answers = set()
        for url in self._in_order():
            try:
                self._ask(url, f"/clients/action/{quote(sid, safe='')}", probe)
                return False
            except ApiError as error:
                answers.add(error.code)
        answers.discard("unreachable")
        return answers == {"bad_session_id"}

    def _in_order(self):
        with self._lock:
            first = self._working
        return self._urls[first:] + self._urls[:first]

    def _call(self, path, body):
        failure = None
        for url in self._in_order():
            try:
                self._ask(url, path, body)
            except ApiError as error:
                if error.code != "unreachable":
                    raise
                failure = error
                continue
            if failure:
                log.warning("%s; %s does", failure, url)
            with self._lock:
                self._working = self._urls.index(url)
            return
        raise failure or ApiError(0, "unreachable", "no API address is configured")

    def _ask(self, url, path, body):
        """One call to one node. A node that fails in itself (5xx) counts as unreachable."""
        address = urlsplit(url)
        connections = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = connections[address.scheme](address.hostname, address.port, timeout=self._timeout)
        try:
            connection.request(
                "POST",
                f"{address.path}/api/{self._key}{path}",
                json.dumps(body).encode(),
                {"Content-Type": "application/json"},
            )
            response = connection.getresponse()
            status, text = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(0, "unreachable", f"{url} does not answer: {error!r}") from error
        finally:
            connection.close()
        if 200 <= status < 300:
            return
        code, description = _error(text)
        if status >= 500 and code != "bad_session_id":
            raise ApiError(0, "unreachable", f"{url} failed with {status} {code}: {description}")
        raise ApiError(status, code, description)


def _error(text):
    """Code and description in the body of the API's error answer."""
    try:
        body = json.loads(text)
        return str(body["error"]), str(body["description"])
    except (ValueError, KeyError, TypeError):
        return "unknown", text[:200].decode(errors="replace")
