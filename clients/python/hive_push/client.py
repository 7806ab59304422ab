"""One method for each call of the HTTP API."""

from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple, Union, cast

from .calls import Calls
from .types import Action, Channel, ChannelAnswers, Client, Drainage, Event, History, Present, Reached, UserOutcome

Actions = Union[Action, Sequence[Action]]

# The client's own patience beyond the time that a question may take, seconds.
_EXTRA = 5.0
# How long a question may take unless the caller says so, seconds.
_USUAL = 5.0


class HiveClient:
    """
    `urls`: addresses of the nodes' HTTP APIs, such as "http://127.0.0.1:1235"; `key`: `api.hash` of the configuration, which is
    sent in a header; `timeout`: how long one node may take to answer, in seconds; `exactly_once`: whether each call that has an
    effect has an `Idempotency-Key`, and may be repeated at another node.

    Can be used by several threads. All methods raise HiveError. Those that change something take `exactly_once` and
    `idempotency_key`: what has been done under a key is not done again, by whomever it is asked.
    """

    def __init__(self, urls: Union[str, Iterable[str]], key: str, *, timeout: float = 5.0, exactly_once: bool = False):
        self._calls = Calls(urls, key, timeout, exactly_once)

    # --- publishing

    def publish(self, channel: str, event: Event, *, confirm: Optional[str] = None, **options: Any) -> List[str]:
        """Sends an event to every subscriber of a channel and of those below it.

        Returns the nodes that have not confirmed it; with confirm="node" as soon as one node has it.
        """
        query = {"confirm": confirm}
        return _unconfirmed(self._post(["pubsub", "publish", channel], query=query, body=event, **options))

    def publish_many(
        self, publications: Sequence[Any], *, confirm: Optional[str] = None, **options: Any
    ) -> List[str]:
        """Several events at once, each with its "channel" or "channels": all are published, or none. Returns as `publish`."""
        query = {"confirm": confirm}
        return _unconfirmed(self._post(["pubsub", "publish"], query=query, body=publications, **options))

    def ask_channel(self, channel: str, event: Event, *, timeout: float = _USUAL, **options: Any) -> ChannelAnswers:
        """What the clients in a channel acknowledge within so many seconds."""
        return self._ask(["pubsub", "ask", channel], event, timeout, options)

    def act_on_channel(
        self, channel: str, actions: Actions, *, confirm: Optional[str] = None, **options: Any
    ) -> List[str]:
        """Has every subscriber's client run actions. Returns as `publish`."""
        query = {"confirm": confirm}
        return _unconfirmed(self._post(["pubsub", "action", channel], query=query, body=actions, **options))

    # --- channels

    def channels(self, prefix: Optional[str] = None) -> Iterator[Channel]:
        """The channels at and below a prefix, or all. Requests 1000 at a time."""
        return self._calls.rows(["pubsub", "channels"], "channels", {"prefix": prefix})

    def subscribers(self, channel: str, *, cluster: bool = True) -> int:
        """How many are subscribed to a channel and to those below it; on one node without `cluster`."""
        answer = self._calls.call("GET", ["pubsub", "subscribe", channel], query={"cluster": cluster})
        return int(answer["subscribed_clients"])

    def subscribe(self, sid: str, channels: Sequence[Any], **options: Any) -> None:
        """Returns when everything published afterwards reaches the client."""
        self._post(["pubsub", "subscribe", sid], body=channels, is_repeatable=True, **options)

    def unsubscribe(self, sid: str, channels: Sequence[Any], **options: Any) -> None:
        self._calls.call("DELETE", ["pubsub", "subscribe", sid], body=channels, is_repeatable=True, **options)

    def history(
        self,
        channel: str,
        *,
        since: Optional[int] = None,
        epoch: Optional[str] = None,
        limit: Optional[int] = None,
        reverse: Optional[bool] = None,
    ) -> History:
        """A part of the history of a channel whose template has one: the last entries, or the first ones behind `since`."""
        query = {"since": since, "epoch": epoch, "limit": limit, "reverse": reverse}
        return cast(History, self._calls.call("GET", ["pubsub", "history", channel], query=query))

    def clear_history(self, channel: str, **options: Any) -> None:
        """Forgets the entries of a history; its numbers go on."""
        self._calls.call("DELETE", ["pubsub", "history", channel], is_repeatable=True, **options)

    def presence(self, channel: str) -> Iterator[Present]:
        """Who is in a channel whose template has `presence`. Requests 1000 at a time."""
        return self._calls.rows(["pubsub", "presence", channel], "members", {})

    def presence_count(self, channel: str) -> "Tuple[int, int]":
        """How many sessions and users are there."""
        answer = self._calls.call("GET", ["pubsub", "presence", channel], query={"count": True})
        return answer["sessions"], answer["users"]

    # --- clients

    def clients(self, *, channel: Optional[str] = None, user: Optional[str] = None) -> Iterator[Client]:
        """The clients of the cluster, or those of a channel or user. Requests 1000 at a time."""
        return self._calls.rows(["clients"], "clients", {"channel": channel, "user": user})

    def act(self, sid: str, actions: Actions, **options: Any) -> None:
        """Has a client run actions. Returns when it has been told."""
        self._post(["clients", "action", sid], body=actions, **options)

    def ask(self, sid: str, event: Event, *, timeout: float = _USUAL, **options: Any) -> List[Any]:
        """The arguments of what the client acknowledges within so many seconds."""
        return self._ask(["clients", "ask", sid], event, timeout, options)["args"]

    def send(self, sid: str, event: Event, **options: Any) -> None:
        """Sends a client an event, behind the actions that wait for its hooks."""
        self._post(["clients", "event", sid], body=event, **options)

    def disconnect(self, sid: str, **options: Any) -> None:
        """Ends a client, which is told not to come back by itself."""
        self._post(["clients", "disconnect", sid], is_repeatable=True, **options)

    # --- users

    def sessions_of(self, user: str) -> Iterator[Client]:
        """The sessions of a user. Requests 1000 at a time."""
        return self._calls.rows(["users", "sessions", user], "clients", {})

    def send_to_user(self, user: str, event: Event, **options: Any) -> UserOutcome:
        """Sends each session of a user an event."""
        return self._post(["users", "event", user], body=event, **options)

    def act_on_user(self, user: str, actions: Actions, **options: Any) -> UserOutcome:
        """Has each session of a user run actions."""
        return self._post(["users", "action", user], body=actions, **options)

    def disconnect_user(self, user: str, **options: Any) -> UserOutcome:
        """Ends each session of a user."""
        return self._post(["users", "disconnect", user], is_repeatable=True, **options)

    # --- several calls

    def batch(self, calls: Sequence[Any], **options: Any) -> List[Any]:
        """Carries out several calls ({"method", "path", "body"}) in order; one that fails stops none."""
        return self._post(["batch"], body=calls, **options)

    # --- operation: of the first node, or of all

    def version(self) -> str:
        return self._calls.call("GET", ["hive", "version"], is_of_one_node=True)

    def stop(self, *, cluster: bool = False) -> Optional[Reached]:
        """Stops a node, or all, gracefully."""
        return self._operate(["hive", "stop"], cluster)

    def enable(self, *, cluster: bool = False) -> Optional[Reached]:
        """Accepts new clients again."""
        return self._operate(["router", "enable"], cluster)

    def disable(self, *, cluster: bool = False) -> Optional[Reached]:
        """Refuses new clients."""
        return self._operate(["router", "disable"], cluster)

    def drain(self) -> Drainage:
        """Takes a node out of rotation and hands its sessions over."""
        return self._operate(["router", "drain"], False)

    def drainage(self) -> Drainage:
        return self._calls.call("GET", ["router", "drain"], is_of_one_node=True)

    def terminate(self, reason: str, *, cluster: bool = False) -> Optional[Reached]:
        """Asks clients to leave."""
        return self._operate(["router", "terminate"], cluster, text=reason)

    # --- how they are made

    def _operate(self, segments: List[str], cluster: bool, **call: Any) -> Any:
        query = {"cluster": cluster}
        return self._post(segments, query=query, is_repeatable=True, is_of_one_node=not cluster, **call)

    def _post(self, segments: List[str], **call: Any) -> Any:
        return self._calls.call("POST", segments, **call)

    def _ask(self, segments: List[str], event: Event, timeout: float, options: "dict[str, Any]") -> Any:
        query = {"timeout": round(timeout * 1000)}
        return self._post(segments, query=query, body=event, timeout=timeout + _EXTRA, **options)


def _unconfirmed(answer: Any) -> List[str]:
    return answer["unconfirmed"] if answer else []
