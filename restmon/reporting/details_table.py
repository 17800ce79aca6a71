"""The report in detail as a table: stored as JSON, from which CSV is made."""

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.formatting import no_formula
from restmon.core.group_names import join_groups
from restmon.core.instants import as_text
from restmon.core.rounding import (
    HUNDREDTH_OF_HOUR,
    divide_half_even,
    hours_in_hundredths,
    percent_in_hundredths,
)
from restmon.core.status_now import STATUS_NAMES
from restmon.core.targets import NO_TARGET, WHOLE
from restmon.errors import RestmonError
from restmon.reporting.current_status import NEVER
from restmon.reporting.details import Details
from restmon.reporting.outage_notes import write_note

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Cell = str | float | int | bool | list[str] | None

TEXT, NUMBER, COUNT, INSTANT, YES_OR_NO, GROUPS, LOCAL, NOTES = range(8)
COLUMNS = {
    "store_id": TEXT,
    "name": TEXT,
    "groups": GROUPS,
    "zone": TEXT,
    "zone_assumed": YES_OR_NO,
    "hours": TEXT,
    "window_from": INSTANT,
    "window_to": INSTANT,
    "open": NUMBER,
    "up": NUMBER,
    "down": NUMBER,
    "uptime_percent": NUMBER,
    "outages": COUNT,
    "longest_outage": NUMBER,
    "mean_outage": NUMBER,
    "time_between_outages": NUMBER,
    "coverage": NUMBER,
    "last_poll": INSTANT,
    "status_now": TEXT,
    "down_since": INSTANT,
    "target": NUMBER,
    "target_status": TEXT,
    "budget_left": NUMBER,
    "lost_sales": NUMBER,
}
"""The columns of the details and what they hold. Durations are in hours, percentages and coverage
in per cent, both with two decimals. A target is as it was set. An unknown value is None."""
NEEDS_QUOTES = re.compile('[,"\r\n]')
GIVEN, ASSUMED, UNREADABLE = "given", "assumed", "unreadable"


@dataclass(frozen=True)
class DetailsTable:
    """The details. ``about`` describes them (text by name). ``rows`` are lists of cells in the
    order of COLUMNS, with instants as ISO 8601 with Z and groups as lists of names."""

    about: dict[str, str]
    rows: list[list[Cell]]

    def as_json(self) -> str:
        """The table as the JSON that is stored."""
        return json.dumps({"about": self.about, "rows": self.rows}, ensure_ascii=False)

    def records(self) -> list[dict[str, Cell]]:
        """The rows as objects."""
        return [dict(zip(COLUMNS, row, strict=True)) for row in self.rows]

    def csv(self) -> str:
        """The table as CSV, with instants in the form of the polls file and groups in the form of a
        directory. No text begins as a spreadsheet's formula does."""
        return write_csv(COLUMNS, self.rows)


def write_csv(columns: dict[str, int], rows: Sequence[Sequence[Any]]) -> str:
    """Rows of cells as CSV with a header. ``columns`` are the kinds of cells by name."""
    by_column = zip(*rows, strict=True)
    texts = [_write_column(*pair) for pair in zip(by_column, columns.values(), strict=False)]
    # A join takes a third of the time of csv.writer, which looks at every character.
    return "\n".join([",".join(columns), *map(",".join, zip(*texts, strict=True))]) + "\n"


def _write_column(cells: tuple[Any, ...], kind: int) -> list[str]:
    """The cells of a column as text for a CSV file."""
    write: dict[int, Callable[[Any], str]] = {
        TEXT: lambda text: _quote(no_formula(text)),
        NUMBER: write_number,
        COUNT: str,
        INSTANT: write_instant,
        LOCAL: lambda iso: iso.replace("T", " "),
        YES_OR_NO: lambda cell: "yes" if cell else "no",
        GROUPS: lambda names: _quote(no_formula(join_groups(names))),
        NOTES: lambda notes: _quote(no_formula(" | ".join(map(write_note, notes)))),
    }
    if kind in {GROUPS, NOTES}:
        return [write[kind](cell) if cell else "" for cell in cells]
    # Most values repeat.
    texts = {cell: "" if cell is None else write[kind](cell) for cell in set(cells)}
    return [texts[cell] for cell in cells]


def _quote(text: str) -> str:
    """A cell of a CSV file."""
    if not NEEDS_QUOTES.search(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def write_number(number: float) -> str:
    """A number with two decimals, or more if it has more."""
    text = f"{number:.2f}"
    return text if float(text) == number else str(number)


def write_instant(iso: str) -> str:
    """An instant in ISO 8601 with Z, rewritten in the form of the polls file."""
    return f"{iso[:-1].replace('T', ' ')} UTC"


def read_table(text: str | bytes) -> DetailsTable:
    """The table that `DetailsTable.as_json` wrote. Raises RestmonError for anything else."""
    try:
        found = json.loads(text)
        return DetailsTable(found["about"], found["rows"])
    except (ValueError, KeyError, TypeError):
        raise RestmonError(
            "The details of this report are damaged.", "Trigger a new report."
        ) from None


def make_table(found: Details) -> DetailsTable:
    """The table of details."""
    m, stores, standing = found.measures, found.stores, found.standing
    claimed = m.up + m.down
    has_target = standing.target != NO_TARGET
    columns: dict[str, list[Any]] = {
        "store_id": stores.ids,
        "name": list(found.names),
        "groups": list(found.groups),
        "zone": _pick(stores.zones, stores.zone_of_store),
        "zone_assumed": (~stores.zone_given).tolist(),
        "hours": _pick(
            [GIVEN, ASSUMED, UNREADABLE],
            stores.schedule.hours_assumed + 2 * stores.schedule.hours_unreadable,
        ),
        "window_from": iso_instants(m.lo),
        "window_to": iso_instants(m.hi),
        "open": _hours(m.open),
        "up": _hours(m.up),
        "down": _hours(m.down),
        "uptime_percent": _percent(m.up, claimed),
        "outages": m.outages.tolist(),
        "longest_outage": _known(_hours(m.longest), m.outages > 0),
        "mean_outage": _hours(m.total, among=m.outages),
        "time_between_outages": _hours(m.up, among=m.begun),
        "coverage": _percent(m.covered, m.open),
        "last_poll": iso_instants(m.last_poll, m.last_poll != NEVER),
        "status_now": _pick(list(STATUS_NAMES), m.status_now),
        "down_since": iso_instants(m.down_since, m.down_since != NEVER),
        "target": _known([n / 10_000 for n in standing.target.tolist()], has_target),
        "target_status": [status or None for status in standing.status.tolist()],
        "budget_left": _known(_budgets(standing.left), has_target),
        "lost_sales": [None if math.isnan(n) else round(n, 2) for n in m.lost_sales.tolist()],
    }
    rows = [list(row) for row in zip(*(columns[name] for name in COLUMNS), strict=True)]
    return DetailsTable(describe(found), rows)


def describe(found: Details) -> dict[str, str]:
    """The window, scope and method of the details, as text by name."""
    schedule, given = found.stores.schedule, found.stores.zone_given
    scope = found.scope
    about = {
        "stores": f"{len(found.stores.ids):,}",
        "of": f"group {scope.group}" if scope.group else scope.store or "all stores",
        "window": found.window.text,
        "as_of": as_text(found.as_of),
        "method": found.method,
    }
    if scope.seen is not None and scope.is_whole:
        about["of"] = "the stores of the groups of whoever asked for it"
    if len(found.stores.ids):
        about["from"] = _span(found.measures.lo)
        about["to"] = _span(found.measures.hi)
    about["zone assumed"] = f"{int((~given).sum()):,} stores (America/Chicago)"
    about["hours assumed"] = f"{int(schedule.hours_assumed.sum()):,} stores (open 24 hours)"
    about["hours unreadable"] = f"{int(schedule.hours_unreadable.sum()):,} stores (never open)"
    return about


def _span(instants: Ints) -> str:
    first, last = as_text(int(instants.min())), as_text(int(instants.max()))
    return first if first == last else f"{first} to {last}, by the store's zone"


def iso_instants(instants: Ints, known: Flags | None = None) -> list[str | None]:
    """Instants in ISO 8601 with Z, to the microsecond; None for unknown ones."""
    # A window's ends are the same of most stores.
    each = sorted(set(instants.tolist()))
    texts = np.datetime_as_string(np.array(each, "datetime64[us]")).tolist()
    written = {instant: f"{text}Z" for instant, text in zip(each, texts, strict=True)}
    result: list[str | None] = [written[instant] for instant in instants.tolist()]
    return result if known is None else _known(result, known)


def _pick(names: list[str], codes: NDArray[Any]) -> list[str]:
    return [names[code] for code in codes.tolist()]


def _hours(half_microseconds: Ints, among: Ints | None = None) -> list[Any]:
    """Durations in hours with two decimals, divided by ``among``; None if that is 0."""
    if among is None:
        return _in_units(hours_in_hundredths(half_microseconds))
    return _known(
        _in_units(hours_in_hundredths(half_microseconds, np.maximum(among, 1))), among > 0
    )


def _percent(part: Ints, whole: Ints) -> list[Any]:
    return _known(_in_units(percent_in_hundredths(part, np.maximum(whole, 1))), whole > 0)


def _in_units(hundredths: Ints) -> list[Any]:
    numbers: list[Any] = (hundredths / 100).tolist()
    return numbers


def _known(values: list[Any], known: Flags) -> list[Any]:
    return [v if k else None for v, k in zip(values, known.tolist(), strict=True)]


def _budgets(left: Ints) -> list[Any]:
    """Parts of budgets (half microseconds in millionths) in hours with two decimals."""
    return _in_units(divide_half_even(left, WHOLE * HUNDREDTH_OF_HOUR))
