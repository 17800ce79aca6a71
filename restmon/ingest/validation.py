"""Checks the raw values of a table by the rules of their columns (SEMANTICS.md, "Inputs")."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NoReturn

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from restmon.core.instants import LATEST
from restmon.ingest import arrow_arrays
from restmon.ingest.batches import Batch, Rejection, shown
from restmon.ingest.checked import Checked, Spoiled, rejection
from restmon.ingest.choices import DATE_ORDER, DAY_NUMBERS, NO_CHOICES, ChoiceNeeded, Choices
from restmon.ingest.csv_reader import read_batches
from restmon.ingest.file_sources import Source
from restmon.ingest.group_name_parser import parse_group_names
from restmon.ingest.headers import (
    BUSINESS_HOURS,
    DIRECTORY,
    LAYOUTS,
    OPENING_HOURS,
    OTHER_HOURS,
    POLLS,
    SALES,
)
from restmon.ingest.other_hours import OtherHoursCheck
from restmon.ingest.values.base import Parsed, trimmed
from restmon.ingest.values.dates import Dates, add_evidence
from restmon.ingest.values.days import NAMES, parse_days
from restmon.ingest.values.statuses import parse_statuses
from restmon.ingest.values.store_ids import StoreIds
from restmon.ingest.values.texts import (
    GroupNames,
    parse_amounts,
    parse_group_lists,
    parse_hours,
    parse_optional_amounts,
    parse_reasons,
    parse_texts,
)
from restmon.ingest.values.times_of_day import (
    Spans,
    parse_opening,
    parse_times,
    spans_of_cell,
)
from restmon.ingest.values.timestamps import (
    DateOrderEvidence,
    Timestamps,
    not_after,
    parse_timestamps,
)
from restmon.ingest.values.weekly import Week, week_of
from restmon.ingest.values.zones import parse_zones

Ints = NDArray[np.int64]

PARSERS: dict[str, Callable[[pa.Array], Parsed]] = {
    "timestamp_utc": parse_timestamps,
    "status": parse_statuses,
    "dayOfWeek": parse_days,
    "start_time_local": lambda raw: parse_times(raw, is_end=False),
    "end_time_local": lambda raw: parse_times(raw, is_end=True),
    "timezone_str": parse_zones,
    "group": parse_group_names,
    "name": parse_texts,
    "address": parse_texts,
    "groups": parse_group_lists,
    "sales_per_hour": parse_optional_amounts,
    "hour": parse_hours,
    "sales": parse_amounts,
    "note": parse_texts,
}
"""The parser of each column except ``store_id``, which :class:`.StoreIds` reads."""
DATES = {
    "date": False,
    "start_date": False,
    "end_date": False,
    "opened_on": True,
    "closed_on": True,
}
"""The columns of dates, and whether their cells may be empty."""

ALL_OF_STORE = "; none of the lines of this store was taken"
MOST_NOTICES = 20


@dataclass
class Checker:
    """Checks the batches of one table, in order.

    ``latest`` is the latest instant of a valid poll. ``decide`` returns the order of the table's
    dates if it was not chosen (see `date_order_of`). Unless ``with_groups``, a directory's column
    of groups is left out, with a notice. Where it may not ask for a choice (``asks``), a value that
    can be read in two ways is bad.
    """

    kind: str
    ids: StoreIds
    latest: int = LATEST
    choices: Choices = NO_CHOICES
    name: str = "The file"
    decide: Callable[[], str] | None = None
    groups: GroupNames = field(default_factory=GroupNames)
    with_groups: bool = True
    header_line: int | None = None
    asks: bool = True
    _warned: Counter[str] = field(default_factory=Counter)
    _timestamps: Timestamps = field(init=False)
    _dates: Dates = field(init=False)
    _proven: str | None = None
    _left_out: bool = False

    def __post_init__(self) -> None:
        decide = self._decide if self.asks else None
        self._timestamps = Timestamps(self.choices.date_order, decide)
        self._dates = Dates(self.choices.date_order, decide)

    def check(self, batch: Batch) -> Checked:
        """Check all lines of a batch.

        Raises :class:`ChoiceNeeded` if the table can be read in two ways.
        """
        self.header_line = batch.header.line
        if self.kind == BUSINESS_HOURS:
            return self._check_hours(batch)
        if self.kind == OTHER_HOURS:
            return OtherHoursCheck(self.ids, self.groups, self._parse).check(batch)
        columns = list(LAYOUTS[self.kind])
        if self.kind == DIRECTORY:
            columns = ["store_id", *(c for c in batch.columns if c != "store_id")]
            if not self.with_groups and "groups" in columns:
                columns.remove("groups")
                self._left_out = True
        good, parsed, rejections = self._check_columns(batch, columns[1:])
        values = {column: parsed[column].values[good] for column in columns}
        if "reason" in batch.columns and self.kind == POLLS:
            values["reason"] = parse_reasons(batch.columns["reason"]).values[good]
        rejections = sorted(batch.malformed + rejections, key=lambda r: r.line)
        read = len(batch.line) + len(batch.malformed)
        owners = set()
        if self.kind == SALES and rejections:
            bad = batch.columns["store_id"].filter(arrow_arrays.of_bools(~good)).to_pylist()
            bad += [values.get("store_id", b"") for values in batch.remains]
            owners = {trimmed(value) for value in bad} - {b""}
        return Checked(batch.line[good], values, rejections, read, owners=owners)

    @property
    def notices(self) -> list[str]:
        """Sentences about the table besides its rejected lines."""
        notices = []
        if self.header_line is not None and self.header_line > 1:
            notices.append(f"{self.name}: line {self.header_line} is taken as the header.")
        if self._proven:
            lost = ", perhaps without their seconds" if self.kind == POLLS else ""
            notices.append(
                f"{self.name}: dates are read {self._proven.replace('-', ' ')}, as they show; a "
                f"spreadsheet seems to have rewritten them{lost}."
            )
        if self._left_out:
            notices.append(f"{self.name}: groups are left out; only an operator changes groups.")
        return notices

    @property
    def warnings(self) -> list[str]:
        """Sentences about valid values that may not mean what their writer thinks.

        A preview shows them. An import does not: its findings (`consequences`) say the same about
        the stores.
        """
        return [
            f"{self.name}, {lines:,} line{'' if lines == 1 else 's'}: {warning}."
            for warning, lines in self._warned.most_common(MOST_NOTICES)
        ]

    def _decide(self) -> str:
        if self.decide is None:
            raise ChoiceNeeded(DATE_ORDER, f"The dates of {self.name} can be read in two ways.")
        self._proven = self.decide()
        return self._proven

    def _seven(self) -> NoReturn:
        raise ChoiceNeeded(
            DAY_NUMBERS,
            f"{self.name} has a day 7: its days may count from 1 for Monday, or from 1 for Sunday.",
        )

    def _parse(self, column: str, raw: pa.Array) -> Parsed:
        if column == "timestamp_utc":
            return not_after(self._timestamps(raw), self.latest)
        if column in DATES:
            return self._dates(raw, optional=DATES[column])
        if column == "dayOfWeek":
            seven = self._seven if self.asks else None
            return parse_days(raw, self.choices.day_numbers, seven)
        found = PARSERS[column](raw)
        if found.warn is not None:
            for value, lines in zip(*_counted(raw), strict=True):
                warning = found.warn(value)
                if warning:
                    self._warned[warning] += lines
        return found

    def _check_columns(
        self, batch: Batch, columns: list[str]
    ) -> tuple[NDArray[np.bool_], dict[str, Parsed], list[Rejection]]:
        """The mask of the good lines, the columns, and a rejection of each other line for its first
        bad value."""
        good = np.ones(len(batch.line), bool)
        parsed: dict[str, Parsed] = {}
        rejections: list[Rejection] = []
        opening = "start_time_local" in columns
        if opening:
            both = parse_opening(batch.columns["start_time_local"], batch.columns["end_time_local"])
            parsed |= {"start_time_local": both.start, "end_time_local": both.end}
        # The store id comes last: a line rejected for another value names no store.
        for column in [*columns, "store_id"]:
            raw = batch.columns[column]
            if column == "store_id":
                parsed[column] = _parse_some(self.ids, raw, good)
            elif column not in parsed:
                parsed[column] = self._parse(column, raw)
            found = parsed[column]
            rejections += self._rejections_of(column, batch, found, good & ~found.good)
            good &= found.good
        return good, parsed, rejections

    def _rejections_of(
        self, column: str, batch: Batch, found: Parsed, bad: NDArray[np.bool_]
    ) -> list[Rejection]:
        raw = batch.columns[column]
        rejected = [
            rejection(int(batch.line[i]), column, raw[i].as_py(), found)
            for i in np.flatnonzero(bad).tolist()
        ]
        if self.kind == BUSINESS_HOURS and column != "store_id":
            return [replace(r, reason=r.reason + ALL_OF_STORE) for r in rejected]
        return rejected

    def _check_hours(self, batch: Batch) -> Checked:
        if "dayOfWeek" in batch.columns:
            columns = list(LAYOUTS[BUSINESS_HOURS])[1:]
            good, parsed, rejections = self._check_columns(batch, columns)
            line = batch.line[good]
            values = {name: parsed[name].values[good] for name in LAYOUTS[BUSINESS_HOURS]}
        else:
            weeks = self._weeks(batch)
            good = np.array([isinstance(week, list) for week in weeks], bool)
            rejections = self._bad_weeks(batch, weeks)
            store = _parse_some(self.ids, batch.columns["store_id"], good)
            rejections += self._rejections_of("store_id", batch, store, good & ~store.good)
            good &= store.good
            kept = np.flatnonzero(good).tolist()
            counts = [len(weeks[i]) for i in kept]
            rows = np.array([row for i in kept for row in weeks[i]], np.int64).reshape(-1, 3)
            at = np.repeat(np.array(kept, np.int64), counts)
            line = batch.line[at]
            columns = list(LAYOUTS[BUSINESS_HOURS])[1:]
            values = {"store_id": store.values[at]}
            values |= {name: rows[:, i] for i, name in enumerate(columns)}
        rejections = sorted(batch.malformed + rejections, key=lambda r: r.line)
        spoiled = self._spoiled(batch, good) if rejections else None
        return Checked(line, values, rejections, len(line) + len(rejections), spoiled)

    def _weeks(self, batch: Batch) -> list[Week | tuple[str, str]]:
        """The week in each line, or the column that cannot be read and why."""
        if OPENING_HOURS in batch.columns:
            known = {
                value: week_of(value) for value in batch.columns[OPENING_HOURS].unique().to_pylist()
            }
            return [
                (OPENING_HOURS, found) if isinstance(found, str) else found
                for found in map(known.__getitem__, batch.columns[OPENING_HOURS].to_pylist())
            ]
        cells: dict[bytes, Spans | str] = {}
        weeks: list[Week | tuple[str, str]] = []
        for row in zip(*(batch.columns[day].to_pylist() for day in NAMES), strict=True):
            week: Week = []
            bad: tuple[str, str] | None = None
            for day, value in enumerate(row):
                if value not in cells:
                    cells[value] = spans_of_cell(value)
                found = cells[value]
                if isinstance(found, str):
                    bad = (NAMES[day], found)
                    break
                week += [(day, start, end) for start, end in found]
            weeks.append(week if bad is None else bad)
        return weeks

    def _bad_weeks(self, batch: Batch, weeks: list[Week | tuple[str, str]]) -> list[Rejection]:
        return [
            Rejection(
                int(batch.line[i]),
                week[0],
                shown(batch.columns[week[0]][i].as_py()),
                week[1] + ALL_OF_STORE,
            )
            for i, week in enumerate(weeks)
            if isinstance(week, tuple)
        ]

    def _spoiled(self, batch: Batch, good: NDArray[np.bool_]) -> Spoiled:
        """The stores that the rejected lines of a batch of business hours name.

        A malformed line surely names the store whose id it shows when it shows a day too.
        """
        found = self.ids.parse(batch.columns["store_id"].filter(arrow_arrays.of_bools(~good)))
        names = [found.values[found.good]]
        perhaps = set()
        for values in batch.remains:
            raw = values.get("store_id", b"")
            name = self.ids.valid(raw)
            if name is None:
                continue
            if _shows_hours(values):
                names.append(self.ids.parse(arrow_arrays.of_bytes([raw])).values)
            else:
                perhaps.add(name)
        return Spoiled(np.concatenate(names), perhaps)


def _shows_hours(values: dict[str, bytes]) -> bool:
    """Whether the remains of a line look like business hours."""
    if "dayOfWeek" in values:
        day = parse_days(arrow_arrays.of_bytes([values["dayOfWeek"]]), "1-monday")
        zero = parse_days(arrow_arrays.of_bytes([values["dayOfWeek"]]))
        return bool(day.good[0] or zero.good[0])
    if values.get(OPENING_HOURS):
        return not isinstance(week_of(values[OPENING_HOURS]), str)
    cells = [values[day] for day in NAMES if values.get(day)]
    return any(not isinstance(spans_of_cell(cell), str) for cell in cells)


def _counted(raw: pa.Array) -> tuple[list[bytes], list[int]]:
    counted = raw.value_counts()
    return counted.field("values").to_pylist(), counted.field("counts").to_pylist()


def _parse_some(ids: StoreIds, raw: pa.Array, wanted: NDArray[np.bool_]) -> Parsed:
    if wanted.all():
        return ids.parse(raw)
    some = ids.parse(raw.filter(arrow_arrays.of_bools(wanted)))
    values = np.full(len(raw), -1, np.int64)
    good = np.ones(len(raw), bool)
    values[wanted], good[wanted] = some.values, some.good
    return Parsed(values, good, some.reason)


def checker_of(
    source: Source,
    name: str,
    kind: str,
    ids: StoreIds,
    latest: int = LATEST,
    choices: Choices = NO_CHOICES,
) -> Checker:
    """A checker of a table. It reads the whole table once more if the order of its dates is
    open."""

    def decide() -> str:
        return date_order_of(source, name, choices, kind)

    return Checker(kind, ids, latest, choices, name, decide)


def date_order_of(
    source: Source, name: str, choices: Choices = NO_CHOICES, kind: str = POLLS
) -> str:
    """The order of the dates in a table, proven by its unambiguous dates.

    Raises :class:`ChoiceNeeded` if there are none, or if they prove both orders.
    """
    evidence = DateOrderEvidence()
    for batch in read_batches(source, name, kind, chosen=choices.columns):
        if kind == POLLS:
            evidence.add(batch.columns["timestamp_utc"])
        for column in DATES.keys() & batch.columns.keys():
            add_evidence(evidence, batch.columns[column])
    if evidence.order:
        return evidence.order
    if evidence.day_first:
        raise ChoiceNeeded(
            DATE_ORDER,
            f"{name} has dates of two orders: {evidence.day_first} is day first, "
            f"{evidence.month_first} is month first; a spreadsheet has rewritten the timestamps.",
        )
    raise ChoiceNeeded(
        DATE_ORDER,
        f"{name} has dates such as {evidence.undecided}, which may be month first or day first; "
        "a spreadsheet has rewritten the timestamps.",
    )
