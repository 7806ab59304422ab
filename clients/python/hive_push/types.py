"""What the API takes and answers, as JSON."""

from typing import Any, Dict, List, Optional, Sequence, TypedDict


class _Named(TypedDict):
    name: str


class Event(_Named, total=False):
    args: Sequence[Any]


class _Action(TypedDict):
    action: str
    args: Any


class Action(_Action, total=False):
    trigger_id: str


class Channel(TypedDict):
    channel: str
    subscribed_clients: int
    published: int  # publications since the first node has had the channel


class Client(TypedDict):
    sid: str
    user: Optional[str]  # the id of its user
    node: str
    connected_at: int  # ms since 1970
    suspended: bool  # whether it has no connection and may come back


class _HistoryEntry(TypedDict):
    offset: int
    at: int  # ms since 1970


class HistoryEntry(_HistoryEntry, total=False):
    """An event, a nameless message, or actions."""

    name: str
    args: Sequence[Any]
    message: Any
    actions: Sequence[Action]


class History(TypedDict):
    channel: str
    epoch: str
    offset: int  # the last one that was given
    entries: List[HistoryEntry]
    complete: bool  # whether everything behind `since` is kept still


class Reached(TypedDict):
    """Who took part in something that concerned several nodes."""

    nodes: List[str]
    missing: List[str]


class Drainage(TypedDict):
    """How far a node is out of rotation."""

    admits: bool
    handing_over: bool
    connections: int
    clients: int
    stays: Optional[str]




class FailedSession(TypedDict):
    sid: str
    error: str
    description: str


class UserOutcome(Reached):
    sessions: int  # how many were reached
    failed: List[FailedSession]  # those that were there and could not be reached


class Present(TypedDict):
    sid: str
    user: Optional[str]
    info: Dict[str, Any]  # what the template shows of the state


class Answered(TypedDict):
    sid: str
    args: List[Any]


class Unanswered(TypedDict):
    sid: str
    error: str


class ChannelAnswers(Reached):
    answers: List[Answered]
    unanswered: List[Unanswered]  # clients that are there and have not answered
