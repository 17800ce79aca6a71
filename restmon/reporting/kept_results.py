"""Results that are made once and kept beside what they were made of."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, TypeVar, cast

T = TypeVar("T")


class KeptResults:
    """The last results that were made of one object, by their names.

    They live as long as the object does. Where the object is one actor's view of the data, no other
    actor gets them. Safe to use from several threads: each result is made once.
    """

    def __init__(self, most: int = 128) -> None:
        self._most = most
        self._results: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = RLock()

    def find_or_make(self, name: Hashable, make: Callable[[], T]) -> T:
        """Return the result of a name, which ``make`` makes where it is not kept."""
        with self._lock:
            if name in self._results:
                self._results.move_to_end(name)
                return cast(T, self._results[name])
            result = make()
            self._results[name] = result
            while len(self._results) > self._most:
                self._results.popitem(last=False)
            return result
