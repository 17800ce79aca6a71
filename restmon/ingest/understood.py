"""What a table says about a store, in words."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from restmon.core.hours import END_OF_DAY
from restmon.core.instants import MINUTE, as_datetime, date_of
from restmon.ingest.headers import (
    BUSINESS_HOURS,
    DIRECTORY,
    OTHER_HOURS,
    POLLS,
    SALES,
    TIMEZONES,
)
from restmon.ingest.values.dates import NO_DATE
from restmon.ingest.values.days import NAMES
from restmon.ingest.values.texts import BETWEEN

Ints = NDArray[np.int64]
NONE = np.iinfo(np.int64).max
GROUP = "group "
MOST_DATES = 20


def twelve_hour_clock(time: int) -> str:
    """A time of day on the 12-hour clock."""
    if time >= END_OF_DAY:
        return "midnight"
    moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=time)
    seconds = ":%S" if time % MINUTE else ""
    return moment.strftime(f"%I:%M{seconds} %p").lstrip("0")


def day_in_words(spans: list[tuple[int, int]]) -> str:
    """The openings of one day, in words. Start and end are negative on a closed day."""
    openings = sorted({(start, end) for start, end in spans if start >= 0})
    if not openings:
        return "closed"
    return " and ".join(_opening(start, end) for start, end in openings)


def _opening(start: int, end: int) -> str:
    if start == end or (start == 0 and end >= END_OF_DAY):
        return f"open 24 hours from {twelve_hour_clock(start)}" if start else "open 24 hours"
    later = " the next day" if end < start and end > 0 else ""
    return f"{twelve_hour_clock(start)} to {twelve_hour_clock(end) if end else 'midnight'}{later}"


def week_in_words(rows: list[tuple[int, int, int]]) -> str:
    """A week of (day, start, end), in words. Equal days are joined: ``Monday to Friday 9:00 AM to
    5:00 PM; Saturday and Sunday closed``."""
    days = [
        day_in_words([(start, end) for day, start, end in rows if day == number])
        for number in range(7)
    ]
    parts = []
    first = 0
    for number in range(7):
        if number == 6 or days[number + 1] != days[first]:
            names = [NAMES[first].capitalize(), NAMES[number].capitalize()]
            between = " and " if number - first == 1 else " to "
            which = names[0] if first == number else between.join(names)
            parts.append(f"{which} {days[first]}")
            first = number + 1
    return "; ".join(parts)


@dataclass
class Understood:
    """The stores of a table, numbered as in ``names``, and what it says about each."""

    kind: str
    names: list[str]
    _hours: list[pd.DataFrame] = field(default_factory=list)
    _zones: dict[int, str] = field(default_factory=dict)
    _first: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    _last: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    _count: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    _spoiled: set[int] = field(default_factory=set)
    groups: list[str] = field(default_factory=list)
    _parts: list[pd.DataFrame] = field(default_factory=list)

    def add(self, values: dict[str, NDArray[Any]], spoiled: Ints | None = None) -> None:
        """Take the good rows of a batch, and the stores whose hours do not count."""
        store = values["store_id"]
        if self.kind == POLLS:
            self._add_polls(store, values["timestamp_utc"])
        elif self.kind == BUSINESS_HOURS:
            self._hours.append(pd.DataFrame(values))
            if spoiled is not None:
                self._spoiled |= set(spoiled.tolist())
        elif self.kind == TIMEZONES:
            self._zones |= dict(zip(store.tolist(), values["timezone_str"].tolist(), strict=True))
        else:
            self._parts.append(pd.DataFrame(values))

    def _add_polls(self, store: Ints, time: Ints) -> None:
        more = len(self.names) - len(self._first)
        if more:
            self._first = np.append(self._first, np.full(more, NONE))
            self._last = np.append(self._last, np.full(more, -NONE))
            self._count = np.append(self._count, np.zeros(more, np.int64))
        np.minimum.at(self._first, store, time)
        np.maximum.at(self._last, store, time)
        self._count += np.bincount(store, minlength=len(self._count))

    @property
    def subjects(self) -> list[str]:
        """The ids of the table's stores, and its groups as ``group X``."""
        return [*self.names, *(f"{GROUP}{name}" for name in self.groups)]

    def words(self, subject: str) -> str:
        """What the table says about a store or group, in a sentence."""
        if self.kind in TELL:
            words = TELL[self.kind](self._rows_of(subject))
            who = subject if self._is_group(subject) else f"store {subject}"
            return f"{who}: {words or 'nothing'}"
        store_id = subject
        number = self.names.index(store_id)
        if self.kind == BUSINESS_HOURS:
            if number in self._spoiled:
                return f"store {store_id}: not taken, as a line of it is rejected"
            hours = pd.concat(self._hours, ignore_index=True)
            hours = hours[hours["store_id"] == number]
            rows = hours[["dayOfWeek", "start_time_local", "end_time_local"]]
            if not len(rows):
                return f"store {store_id}: nothing"
            return (
                f"store {store_id}: {week_in_words([tuple(r) for r in rows.to_numpy().tolist()])}"
            )
        if self.kind == TIMEZONES:
            return f"store {store_id}: {self._zones.get(number, 'nothing')}"
        if number >= len(self._count) or not self._count[number]:
            return f"store {store_id}: nothing"
        count = int(self._count[number])
        first, last = (_instant(int(column[number])) for column in (self._first, self._last))
        if count == 1:
            return f"store {store_id}: one poll, at {first}"
        return f"store {store_id}: {count:,} polls from {first} to {last}"

    def _is_group(self, subject: str) -> bool:
        return subject not in self.names and subject.startswith(GROUP)

    def _rows_of(self, subject: str) -> pd.DataFrame:
        rows = pd.concat(self._parts, ignore_index=True)
        if self._is_group(subject):
            return rows[rows["group"] == self.groups.index(subject.removeprefix(GROUP))]
        return rows[rows["store_id"] == self.names.index(subject)]


def _dates_in_words(rows: pd.DataFrame) -> str:
    days: dict[int, list[tuple[int, int]]] = {}
    for date, start, end in zip(
        rows["date"], rows["start_time_local"], rows["end_time_local"], strict=True
    ):
        days.setdefault(int(date), []).append((int(start), int(end)))
    dates = [f"{_day(date)} {day_in_words(spans)}" for date, spans in sorted(days.items())]
    more = f"; and {len(dates) - MOST_DATES:,} more dates" if len(dates) > MOST_DATES else ""
    return "; ".join(dates[:MOST_DATES]) + more


def _entry_in_words(rows: pd.DataFrame) -> str:
    """What the last line says."""
    if not len(rows):
        return ""
    words = []
    for column, value in rows.iloc[-1].items():
        if column == "store_id" or value in ("", NO_DATE) or value != value:  # noqa: PLR0124
            continue
        if column in ("opened_on", "closed_on"):
            words.append(f"{str(column).replace('_', ' ')} {_day(int(value))}")
        elif column == "groups":
            words.append(f"in {', '.join(str(value).split(BETWEEN))}")
        elif column == "sales_per_hour":
            words.append(f"sells {value:,.2f} an hour")
        else:
            words.append(str(value))
    return "; ".join(words)


def _sales_in_words(rows: pd.DataFrame) -> str:
    rows = rows.drop_duplicates(["dayOfWeek", "hour"], keep="last")
    if not len(rows):
        return ""
    return f"sells {rows['sales'].sum():,.2f} in {len(rows):,} hours of a week"


TELL = {OTHER_HOURS: _dates_in_words, DIRECTORY: _entry_in_words, SALES: _sales_in_words}


def _day(number: int) -> str:
    day = date_of(number)
    return f"{day:%A}, {day:%B} {day.day}, {day.year}"


def _instant(time: int) -> str:
    moment = as_datetime(time)
    hours = moment.strftime("%I:%M:%S %p").lstrip("0")
    return f"{moment:%B} {moment.day}, {moment.year}, {hours} UTC"
