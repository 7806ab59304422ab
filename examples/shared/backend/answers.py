"""The answers to hooks by their `Idempotency-Key`.

A call that is repeated gets the answer of the first one, and has no second effect. What comes later than the last MAX_ANSWERS
calls, or MAX_SIZE of their answers, is not recognised any more.
"""

import threading
from collections import OrderedDict
from concurrent.futures import Future

MAX_ANSWERS = 10_000
MAX_SIZE = 16_000_000  # bytes


class Answers:
    def __init__(self):
        self._lock = threading.Lock()
        self._kept = OrderedDict()  # key -> [Future, size], oldest first
        self._size = 0

    def once(self, key, make):
        """The answer to the call with this key: what `make` returns, which is called once, even if two calls come at the same time.

        If it fails, nothing is kept: a repetition is a new attempt.
        """
        with self._lock:
            known = self._kept.get(key)
            if known is None:
                entry = self._kept[key] = [Future(), 0]
        if known is not None:
            return known[0].result()
        try:
            answer = make()
        except BaseException as error:
            entry[0].set_exception(error)
            with self._lock:
                self._drop(key, entry)
            raise
        entry[0].set_result(answer)
        with self._lock:
            if self._kept.get(key) is entry:
                self._grow(entry, len(answer))
        return answer

    def _grow(self, entry, size):
        entry[1] = size
        self._size += size
        while len(self._kept) > MAX_ANSWERS or self._size > MAX_SIZE:
            self._drop(*next(iter(self._kept.items())))

    def _drop(self, key, entry):
        if self._kept.get(key) is entry:
            del self._kept[key]
            self._size -= entry[1]
