"""Checks lines of other hours: of a store or of a group, on a date or a range of dates."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from restmon.core.group_names import same_name
from restmon.ingest import arrow_arrays
from restmon.ingest.batches import Batch, Rejection, shown
from restmon.ingest.checked import Checked, OwnerDate, rejection
from restmon.ingest.values.base import Parsed, trimmed
from restmon.ingest.values.store_ids import StoreIds
from restmon.ingest.values.texts import GroupNames
from restmon.ingest.values.times_of_day import parse_opening

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LONGEST_RANGE = 366
"""The most dates in one line."""
KEPT = "; what was known of that date is kept"
FIRST, LAST = "start_date", "end_date"


@dataclass(frozen=True)
class OtherHoursCheck:
    """What checks lines of other hours: the ``ids`` of stores, the names of ``groups``, and how a
    column is parsed."""

    ids: StoreIds
    groups: GroupNames
    parse: Callable[[str, pa.Array], Parsed]

    def check(self, batch: Batch) -> Checked:
        """Check all lines of a batch. The values are store_id and group (numbers, one of them
        -1), date, start_time_local, end_time_local and note; a range makes a row for each date."""
        lines = _Lines(batch)
        first = FIRST if FIRST in batch.columns else "date"
        last = LAST if LAST in batch.columns else "date"
        begin, end = (self.parse(column, batch.columns[column]) for column in (first, last))
        lines.reject(first, begin)
        lines.reject(last, end)
        lines.reject_where(last, end.values < begin.values, "the range ends before it begins")
        too_long = end.values - begin.values >= LONGEST_RANGE
        lines.reject_where(last, too_long, f"the range is longer than {LONGEST_RANGE} days")
        dated = lines.good.copy()
        both = parse_opening(batch.columns["start_time_local"], batch.columns["end_time_local"])
        lines.reject("start_time_local", both.start)
        lines.reject("end_time_local", both.end)
        note = self._note(batch, lines)
        store, group = self._owners(batch, lines)
        good = np.flatnonzero(lines.good)
        days = (end.values - begin.values + 1)[good]
        row = np.repeat(good, days)
        offset = np.arange(len(row)) - np.repeat(np.cumsum(days) - days, days)
        rejections = sorted(batch.malformed + lines.rejections, key=lambda r: r.line)
        dates: set[OwnerDate] = set()
        if rejections:
            for i in np.flatnonzero(dated & ~lines.good).tolist():
                owner = self._owner_of({c: raw[i].as_py() for c, raw in batch.columns.items()})
                span = range(int(begin.values[i]), int(end.values[i]) + 1)
                dates |= {(*owner, date) for date in span} if owner else set()
            dates |= self._of_remains(batch, first, last)
        return Checked(
            batch.line[row],
            {
                "store_id": store[row],
                "group": group[row],
                "date": begin.values[row] + offset,
                "start_time_local": both.start.values[row],
                "end_time_local": both.end.values[row],
                "note": note[row],
            },
            rejections,
            len(row) + len(rejections),
            dates=dates,
            owners=_raw_owners(batch, lines.good) if rejections else set(),
        )

    def _note(self, batch: Batch, lines: "_Lines") -> NDArray[np.object_]:
        if "note" not in batch.columns:
            return np.full(len(batch.line), "", object)
        found = self.parse("note", batch.columns["note"])
        lines.reject("note", found)
        return found.values

    def _owners(self, batch: Batch, lines: "_Lines") -> tuple[Ints, Ints]:
        """The numbers of the store and of the group of each line, -1 if it names none."""
        count = len(batch.line)
        given = {
            column: np.array([bool(trimmed(v)) for v in batch.columns[column].to_pylist()], bool)
            if column in batch.columns
            else np.zeros(count, bool)
            for column in ("store_id", "group")
        }
        twice = given["store_id"] & given["group"]
        lines.reject_where("group", twice, "name a store or a group, not both")
        numbers = []
        for column, parse in (("store_id", self.ids.parse), ("group", self.groups.parse)):
            number = np.full(count, -1, np.int64)
            if column in batch.columns:
                # Where both are empty, the store id is.
                of = lines.good & (given[column] | (column == "store_id") & ~given["group"])
                if "store_id" not in batch.columns:
                    of = lines.good.copy()
                some = parse(batch.columns[column].filter(arrow_arrays.of_bools(of)))
                good = np.ones(count, bool)
                number[of], good[of] = some.values, some.good
                lines.reject(column, Parsed(number, good, some.reason))
            numbers.append(number)
        return numbers[0], numbers[1]

    def _owner_of(self, values: dict[str, bytes]) -> tuple[str, str] | None:
        """The store or group that a bad line names."""
        store = self.ids.valid(values.get("store_id", b""))
        if store is not None:
            return "store", store
        group = self.groups.valid(values.get("group", b""))
        return None if group is None else ("group", same_name(group))

    def _of_remains(self, batch: Batch, first: str, last: str) -> set[OwnerDate]:
        """The dates in malformed lines."""
        found: set[OwnerDate] = set()
        for values in batch.remains:
            owner = self._owner_of(values)
            if owner is None or first not in values or last not in values:
                continue
            begin, end = (
                self.parse(column, arrow_arrays.of_bytes([values[column]]))
                for column in (first, last)
            )
            if begin.good[0] and end.good[0]:
                days = range(int(begin.values[0]), int(end.values[0]) + 1)[:LONGEST_RANGE]
                found |= {(*owner, date) for date in days}
        return found


class _Lines:
    """Collects which lines of a batch are good, and why the others are not."""

    def __init__(self, batch: Batch) -> None:
        self.good = np.ones(len(batch.line), bool)
        self.rejections: list[Rejection] = []
        self._batch = batch

    def reject(self, column: str, found: Parsed) -> None:
        """Reject the lines whose value is bad."""
        for i in np.flatnonzero(self.good & ~found.good).tolist():
            value = self._batch.columns[column][i].as_py()
            rejected = rejection(int(self._batch.line[i]), column, value, found)
            self._add(rejected.line, column, rejected.value, rejected.reason)
        self.good &= found.good

    def reject_where(self, column: str, bad: Flags, reason: str) -> None:
        """Reject the lines of a mask."""
        for i in np.flatnonzero(self.good & bad).tolist():
            value = shown(self._batch.columns[column][i].as_py())
            self._add(int(self._batch.line[i]), column, value, reason)
        self.good &= ~bad

    def _add(self, line: int, column: str, value: str, reason: str) -> None:
        ending = KEPT if column not in (FIRST, LAST, "date", "store_id", "group") else ""
        self.rejections.append(Rejection(line, column, value, reason + ending))


def _raw_owners(batch: Batch, good: Flags) -> set[bytes]:
    """The ids and names, as written, of the rejected lines."""
    found = set()
    for column in ("store_id", "group"):
        if column in batch.columns:
            raw = batch.columns[column].filter(arrow_arrays.of_bools(~good)).to_pylist()
            found |= {trimmed(value) for value in raw}
        found |= {trimmed(values.get(column, b"")) for values in batch.remains}
    return found - {b""}
