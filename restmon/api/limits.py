"""Limits and counts: requests of a key, and refused requests of an address."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from restmon.errors import TooManyRequests

QUARTER_HOUR = 900
MOST_ADDRESSES = 1000
OTHERS = "other addresses"


class RequestRates:
    """Token buckets, one for each name. Each holds a minute's requests and fills evenly.

    Parameters
    ----------
    clock
        Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, per_minute: int) -> None:
        """Count one request.

        Raises
        ------
        TooManyRequests
            If the name has used up its ``per_minute``. It says how many seconds to wait.
        """
        with self._lock:
            moment = self._clock()
            left, since = self._buckets.get(name, (float(per_minute), moment))
            left = min(float(per_minute), left + (moment - since) * per_minute / 60)
            if left < 1:
                self._buckets[name] = (left, moment)
                wait = max(1, -int(-(1 - left) * 60 // per_minute))
                raise TooManyRequests(
                    f"This key has used up its {per_minute:,} requests a minute.",
                    f"Wait {wait} second{'' if wait == 1 else 's'}, or ask an operator to raise "
                    "RESTMON_REQUESTS_PER_MINUTE.",
                    retry_after=wait,
                )
            self._buckets[name] = (left - 1, moment)


@dataclass(frozen=True)
class Refusals:
    """How many requests of an address were refused in the quarter hour that begins at ``begin``
    (Unix seconds)."""

    address: str
    begin: int
    count: int


class RefusalCounter:
    """Counts refused requests by address and quarter hour.

    Parameters
    ----------
    clock
        Returns Unix seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._begin = 0
        self._counts: dict[str, int] = {}

    def count(self, address: str) -> list[Refusals]:
        """Count one refusal and return what must be written down now: what `due` returns, and the
        first refusal of an address."""
        with self._lock:
            found = self._due()
            known = address in self._counts or len(self._counts) < MOST_ADDRESSES
            name = address if known else OTHERS
            first = name not in self._counts
            self._counts[name] = self._counts.get(name, 0) + (not first)
            return [*found, Refusals(name, self._begin, 1)] if first else found

    def due(self, *, all_of_them: bool = False) -> list[Refusals]:
        """Return and forget the counts of the quarter hours that are over, or of this one too: for
        each address the refusals after its first."""
        with self._lock:
            return self._due(all_of_them=all_of_them)

    def _due(self, *, all_of_them: bool = False) -> list[Refusals]:
        begin = int(self._clock()) // QUARTER_HOUR * QUARTER_HOUR
        found: list[Refusals] = []
        if begin != self._begin or all_of_them:
            found = [Refusals(a, self._begin, n) for a, n in self._counts.items() if n]
            self._counts = {}
            self._begin = begin
        return found


class PublicRates:
    """Counts the requests of each address to what is open to all, minute by minute.

    Parameters
    ----------
    clock
        Returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._minute = -1
        self._counts: dict[str, int] = {}

    def take(self, address: str, per_minute: int) -> None:
        """Count one request.

        Raises
        ------
        TooManyRequests
            If the address has used up its ``per_minute``. It says how many seconds to wait.
        """
        with self._lock:
            moment = self._clock()
            if int(moment) // 60 != self._minute:
                self._minute, self._counts = int(moment) // 60, {}
            known = address in self._counts or len(self._counts) < MOST_ADDRESSES
            name = address if known else OTHERS
            self._counts[name] = self._counts.get(name, 0) + 1
            # Addresses beyond the first thousand share a larger part.
            most = per_minute if known else 10 * per_minute
            if self._counts[name] > most:
                wait = 60 - int(moment) % 60
                raise TooManyRequests(
                    "There were too many requests from your address.",
                    f"Wait {wait} second{'' if wait == 1 else 's'}.",
                    retry_after=wait,
                )
