"""The HTTP API of Hive. Any node serves any call: a call goes to the node that answered last, and to the others when that one
cannot be reached or refuses clients."""

from .calls import HiveError
from .client import HiveClient

__all__ = ["HiveClient", "HiveError"]
