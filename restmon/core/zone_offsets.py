"""UTC offsets of time zones, and wall-clock times to instants (SEMANTICS.md, "Open intervals").

Pure. Instants are int64 microseconds since the epoch, UTC; wall times int64 microseconds since
1970-01-01 00:00 on the local clock.
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import EPOCH, MICROSECOND, SECOND

Ints = NDArray[np.int64]

STEP_SECONDS = 6 * 3600
"""Seconds between two comparisons of offsets. No zone changes twice in that time."""
EARLIEST_SECOND, LATEST_SECOND = -62_135_400_000, 253_402_200_000
"""A day inside years 1 and 9999, so that local times stay inside of them."""


@dataclass(frozen=True)
class ZoneOffsets:
    """The UTC offsets of one zone over a range.

    Attributes
    ----------
    begin : int64 array, instants
        When each offset begins; the first one is before all times.
    offset : int64 array, microseconds east of UTC
        ``offset[k]`` holds on ``[begin[k], begin[k + 1])``, the last one for ever.
    """

    begin: Ints
    offset: Ints

    def starts_to_utc(self, wall: Ints) -> Ints:
        """Return the first instant at which the local clock has reached each wall time.

        For a time that happens twice this is the first occurrence; for a skipped time it is the
        jump itself::

            clocks go back from 2:00 to 1:00        clocks go forward from 2:00 to 3:00
            1:00   2:00|1:00   2:00                 1:00   2:00|3:00   4:00
            ---+------+---+------+--                ---+------+---+------+--
               1:30 = ^ here                          2:30 =  ^ here (the jump)

        Parameters
        ----------
        wall : int64 array, wall times

        Returns
        -------
        int64 array of the same shape, instants
        """
        reached = np.maximum.accumulate(self.begin[1:] + self.offset[:-1])
        k = np.searchsorted(reached, wall, side="right")
        return np.maximum(self.begin[k], wall - self.offset[k])

    def ends_to_utc(self, wall: Ints) -> Ints:
        """Return the last instant before which the local clock has not passed each wall time.

        For a time that happens twice this is the second occurrence; for a skipped time it is the
        jump itself. Shapes and units are those of `starts_to_utc`.
        """
        local_begin = self.begin + self.offset
        coming = np.minimum.accumulate(local_begin[::-1])[::-1]
        k = np.searchsorted(coming, wall, side="right") - 1
        until = np.append(self.begin[1:], np.iinfo(np.int64).max)
        return np.minimum(until[k], wall - self.offset[k])


@lru_cache(maxsize=4096)
def zone_offsets(zone: str, lo: int, hi: int) -> ZoneOffsets:
    """Return the offsets in effect in a zone between two instants.

    Offsets are compared once in six hours; each change is found by bisection, to the second.

    Parameters
    ----------
    zone : str
        An IANA name.
    lo, hi : int
        Instants. Those outside of years 1 to 9999 take the offset at the nearer edge.

    Raises
    ------
    zoneinfo.ZoneInfoNotFoundError
        For a zone that is not known.
    """
    info = ZoneInfo(zone)

    def offset_at(second: int) -> timedelta:
        moment = EPOCH + timedelta(seconds=second)
        return moment.astimezone(info).utcoffset() or timedelta()

    left = min(max(lo // SECOND, EARLIEST_SECOND), LATEST_SECOND)
    last = min(max(hi // SECOND, EARLIEST_SECOND), LATEST_SECOND)
    offset = offset_at(left)
    begins, offsets = [np.iinfo(np.int64).min // 2], [offset]
    while left < last:
        right = min(left + STEP_SECONDS, last)
        if offset_at(right) != offset:
            while right - left > 1:
                middle = (left + right) // 2
                if offset_at(middle) == offset:
                    left = middle
                else:
                    right = middle
            offset = offset_at(right)
            begins.append(right * SECOND)
            offsets.append(offset)
        left = right
    microseconds = [round(o / MICROSECOND) for o in offsets]
    return ZoneOffsets(np.array(begins, np.int64), np.array(microseconds, np.int64))
