"""Windows of time that a user requests (SEMANTICS.md, "Now")."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import (
    DAY,
    HOUR,
    WEEK,
    as_datetime,
    as_text,
    date_of,
    day_number,
)
from restmon.core.zone_offsets import zone_offsets
from restmon.errors import BadRequest
from restmon.ingest.values.one_date import local_date
from restmon.ingest.values.one_timestamp import timestamp

Ints = NDArray[np.int64]

NAMES = ("from", "to", "month", "last")
"""The names of the words that say a window; the same in API, CLI and database."""
MOST_DAYS = 397
"""13 months, 366 days and 31."""
UNITS = {"h": HOUR, "d": DAY, "w": WEEK}
DATE = re.compile(r"\d{4}-\d\d?-\d\d?")
MONTH = re.compile(r"(\d{4})-(\d\d)")
LAST = re.compile(r"(\d{1,6}) ?([hdw])", re.IGNORECASE)
WEEKS, MONTHS = WHOLE = ("week", "month")
"""The words of ``last`` that mean the last whole calendar week (Monday to Sunday) or month."""


@dataclass(frozen=True)
class Edge:
    """One end of a window: an instant, or a local date, which is midnight in each store's own
    zone. ``text`` is what the user wrote."""

    text: str
    instant: int | None = None
    day: int | None = None

    @property
    def about(self) -> int:
        """The instant, or midnight UTC of the date."""
        return self.instant if self.instant is not None else (self.day or 0) * DAY

    def in_zones(self, zones: list[str]) -> Ints:
        """The instant of this edge in each zone."""
        if self.day is None:
            return np.full(len(zones), self.instant, np.int64)
        return find_midnights(self.day, zones)


@dataclass(frozen=True)
class Window:
    """A requested window: from one edge to another (None: to ``as_of``), or a calendar month (the
    day numbers of its first day and of the day after its last), or the last ``whole`` calendar week
    or month, or a length of time (microseconds) that ends at ``as_of``. ``words`` are what the user
    wrote, by name."""

    words: tuple[tuple[str, str], ...]
    since: Edge | None = None
    until: Edge | None = None
    month: tuple[int, int] | None = None
    last: int = WEEK
    whole: str | None = None

    @property
    def text(self) -> str:
        """What the user wrote, such as ``from=2023-01-22 to=2023-01-23``."""
        return " ".join(f"{name}={value}" for name, value in self.words) or "last=7d"

    def resolve(self, as_of: int, zones: list[str]) -> tuple[Ints, Ints]:
        """Return the window in each zone.

        Parameters
        ----------
        as_of : int
            The instant of the report. No window ends after it.
        zones : list of str
            IANA names.

        Returns
        -------
        lo, hi : int64 arrays of shape (zones,), instants
            ``lo < hi``, but for a month that has not begun in some of the zones.

        Raises
        ------
        BadRequest
            If the window begins at or after ``as_of``, ends after it, or ends before it begins.
        """
        days = self.month
        if self.whole is not None and zones:
            days = _last_whole(self.whole, earliest_date(as_of, zones))
        if days is not None:
            lo, hi = (np.minimum(find_midnights(day, zones), as_of) for day in days)
            if len(zones) and (lo >= hi).all():
                raise BadRequest(
                    f"{self.text} begins after as_of, {as_text(as_of)}.", "Give an earlier month."
                )
            return lo, hi
        if self.since is None:
            end = np.full(len(zones), as_of, np.int64)
            return end - self.last, end
        lo = self.since.in_zones(zones)
        if self.until is None:
            _check_length(self.since.about, as_of, same_kind=self.since.day is None)
            if (lo >= as_of).any():
                raise BadRequest(
                    f"from={self.since.text} is not before as_of, {as_text(as_of)}.",
                    "Give an earlier from.",
                )
            return lo, np.full(len(zones), as_of, np.int64)
        hi = self.until.in_zones(zones)
        if (hi > as_of).any():
            raise BadRequest(
                f"to={self.until.text} is after as_of, {as_text(as_of)}.",
                "Leave to out; the window then ends at as_of.",
            )
        if (lo >= hi).any():
            raise _explain_backwards(self.since, self.until)
        return lo, hi

    def pin(self, as_of: int, zones: list[str], zone_of_store: Ints) -> "Window":
        """Return the window with dates in place of the last whole week or month, which would be
        another one later. The zones are as for `of_stores`."""
        if self.whole is None:
            return self
        used = [zones[zone] for zone in np.unique(zone_of_store).tolist()]
        first, end = map(date_of, _last_whole(self.whole, earliest_date(as_of, used)))
        weekly = {"from": f"{first}", "to": f"{end}"}
        found = parse_window(weekly if self.whole == WEEKS else {"month": f"{first:%Y-%m}"})
        assert found is not None  # noqa: S101 - for the type checker
        return found

    def of_stores(self, as_of: int, zones: list[str], zone_of_store: Ints) -> tuple[Ints, Ints]:
        """Return the window of each store: int64 arrays of the shape of ``zone_of_store``, which
        indexes the zones."""
        used = np.flatnonzero(np.bincount(zone_of_store, minlength=len(zones)))
        place = np.zeros(len(zones), np.int64)
        place[used] = np.arange(len(used))
        lo, hi = self.resolve(as_of, [zones[zone] for zone in used.tolist()])
        return lo[place[zone_of_store]], hi[place[zone_of_store]]

    def of_all(self, as_of: int) -> tuple[int, int]:
        """Return the one window of all stores, in which dates and months are those of UTC."""
        lo, hi = self.resolve(as_of, ["UTC"])
        return int(lo[0]), int(hi[0])


LAST_WEEK = Window(())
"""The default window: the last 168 hours."""


def parse_window(words: Mapping[str, str | None]) -> Window | None:
    """Return the window in words, by NAMES; None if there are no words.

    Raises
    ------
    BadRequest
        If the words are not a valid window, or say more than one.
    """
    given = {name: text.strip() for name in NAMES if (text := words.get(name) or "").strip()}
    if not given:
        return None
    kept = tuple(given.items())
    if len(given) > 1 and set(given) != {"from", "to"}:
        raise BadRequest(
            f"{' and '.join(given)} cannot be combined.",
            "Give from and to, or month, or last.",
        )
    if "month" in given:
        return Window(kept, month=_parse_month(given["month"]))
    if given.get("last", "").lower() in WHOLE:
        return Window(kept, whole=given["last"].lower())
    if "last" in given:
        return Window(kept, last=_parse_last(given["last"]))
    if "from" not in given:
        raise BadRequest("The window has a to and no from.", "Add from=….")
    since = _parse_edge("from", given["from"])
    if "to" not in given:
        return Window(kept, since)
    until = _parse_edge("to", given["to"])
    same_kind = (since.day is None) == (until.day is None)
    if until.about < since.about if not same_kind else until.about <= since.about:
        raise _explain_backwards(since, until)
    _check_length(since.about, until.about, same_kind=same_kind)
    return Window(kept, since, until)


def _parse_edge(name: str, text: str) -> Edge:
    raw = text.encode("utf-8", "replace")
    if DATE.fullmatch(text):
        day = local_date(raw)
        if day is not None:
            return Edge(text, day=day)
    else:
        instant = timestamp(raw)
        if instant is not None:
            return Edge(text, instant=instant)
    raise BadRequest(
        f"{name}={text[:60]!r} is neither an instant nor a date.",
        "Write it as 2023-01-25T18:13:22Z, or 2023-01-25 for midnight in each store's zone.",
    )


def _parse_month(text: str) -> tuple[int, int]:
    match = MONTH.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        first = date(int(match[1]), int(match[2]), 1)
    except ValueError:
        raise BadRequest(f"month={text[:40]!r} is no month.", "Write it as 2023-01.") from None
    begin = day_number(first)
    return begin, begin + monthrange(first.year, first.month)[1]


def _parse_last(text: str) -> int:
    match = LAST.fullmatch(text)
    length = int(match[1]) * UNITS[match[2].lower()] if match else 0
    if not length:
        raise BadRequest(
            f"last={text[:40]!r} is no length of time.",
            "Write it as 24h, 30d or 4w, or week or month for the last whole one.",
        )
    if length > MOST_DAYS * DAY:
        raise _too_long()
    return length


def earliest_date(as_of: int, zones: list[str]) -> date:
    """Return the earliest date that any of the zones (UTC if there are none) has at an instant. By
    it is decided which week or month is the last whole one: it is over in all of them."""
    return min(as_datetime(as_of, zone).date() for zone in zones or ["UTC"])


def _last_whole(whole: str, today: date) -> tuple[int, int]:
    """The day numbers of the first day of the last whole week or month, and of the day after it."""
    if whole == WEEKS:
        end = day_number(today) - today.weekday()
        return end - 7, end
    end = day_number(today.replace(day=1))
    return day_number(date_of(end - 1).replace(day=1)), end


def _explain_backwards(since: Edge, until: Edge) -> BadRequest:
    return BadRequest(
        f"The window from={since.text} to={until.text} ends before it begins, or where it begins.",
        "Give a from that is before to.",
    )


def _check_length(lo: int, hi: int, *, same_kind: bool) -> None:
    """Raise BadRequest for a window of more than 13 months. Allows a day more between a date and an
    instant, since a date begins at another instant in each zone."""
    if hi - lo > MOST_DAYS * DAY + (0 if same_kind else DAY):
        raise _too_long()


def _too_long() -> BadRequest:
    return BadRequest(
        "The window is longer than 13 months.", f"Ask for {MOST_DAYS} days or less at a time."
    )


def find_midnights(day: int, zones: list[str]) -> Ints:
    """The first instant at which the clock of each zone has reached a date's midnight."""
    wall = np.array([day * DAY], np.int64)
    near = (day * DAY - 3 * DAY, day * DAY + 3 * DAY)
    starts = [int(zone_offsets(zone, *near).starts_to_utc(wall)[0]) for zone in zones]
    return np.array(starts, np.int64)
