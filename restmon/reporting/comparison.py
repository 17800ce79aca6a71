"""Two reports side by side: which stores changed the most.

Two reports fit each other if they are by the same method, of the same stores, and of windows of the
same length. Whole calendar months fit each other, whatever their length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from restmon.core.group_names import join_groups
from restmon.core.instants import WEEK
from restmon.errors import BadRequest
from restmon.reporting import report_details, reports
from restmon.reporting.details_table import NUMBER, TEXT, write_csv
from restmon.storage.models import COMPLETE, RUNNING, Report

MEASURES = ("uptime_percent", "down")
SIDES = ("older", "newer")
CSV_COLUMNS = {
    "store_id": TEXT,
    "name": TEXT,
    "groups": TEXT,
    "uptime_percent_older": NUMBER,
    "uptime_percent_newer": NUMBER,
    "uptime_percent_change": NUMBER,
    "down_older": NUMBER,
    "down_newer": NUMBER,
    "down_change": NUMBER,
    "only_in": TEXT,
}


@dataclass(frozen=True)
class Comparison:
    """Two complete reports, joined by store.

    ``table`` has a row for every store in either report, with the columns:

    - ``store_id`` (text), and ``only_in`` ("older", "newer", or NaN for a store in both);
    - ``uptime_percent_older`` and ``uptime_percent_newer``: per cent of the window's observed open
      time (NaN without any), and ``uptime_percent_change``: percentage points, rounded to tenths;
    - ``down_older`` and ``down_newer``: hours of downtime (NaN if the store is not in that report),
      and ``down_change``.

    The row whose uptime changed most comes first; among equal ones, one that fell, and then the one
    whose downtime changed most. Rows that cannot be compared come last.
    """

    older: Report
    newer: Report
    table: pd.DataFrame

    @property
    def worse(self) -> int:
        """How many stores have a lower share of uptime than before."""
        return int((self.table["uptime_percent_change"] < 0).sum())

    @property
    def better(self) -> int:
        """How many stores have a higher share of uptime than before."""
        return int((self.table["uptime_percent_change"] > 0).sum())


def find_span(report: Report) -> tuple[int, int]:
    """The window of a complete report: (lo, hi), instants. A plain report's is its last week; dates
    and months are those of UTC."""
    as_of = int(report.as_of or 0)
    if report.window is None:
        return as_of - WEEK, as_of
    try:
        return report_details.window_of(report).of_all(as_of)
    except BadRequest:  # it has begun in zones east of UTC alone
        return as_of, as_of


def find_kind(report: Report) -> tuple[object, ...]:
    """What two reports that fit each other have in common."""
    lo, hi = find_span(report)
    window: object = hi - lo
    if report.window is None:
        window = "plain"
    elif "month" in report.window and hi < int(report.as_of or 0):
        window = "month"
    scope = tuple(sorted((report.scope or {}).items()))
    return report.method, window, scope, tuple(report.groups or ()), report.groups is None


def find_partners(newer: Report, complete: Sequence[Report]) -> list[Report]:
    """The reports that fit a report and whose window does not end later, the latest first."""
    kind, (_, end) = find_kind(newer), find_span(newer)
    fitting = [
        row
        for row in complete
        if row.id != newer.id and find_kind(row) == kind and find_span(row)[1] <= end
    ]
    return sorted(fitting, key=lambda row: find_span(row)[1], reverse=True)


def suggest_older(newer: Report, partners: Sequence[Report]) -> Report:
    """The one of a report's `find_partners` to compare it with: the one whose window ends where the
    report's begins, or else the latest before it that does not end with it."""
    lo, hi = find_span(newer)
    following = [row for row in partners if find_span(row)[1] == lo]
    return next(iter(following or [row for row in partners if find_span(row)[1] < hi] or partners))


def compare_reports(older_report_id: str, newer_report_id: str) -> Comparison:
    """Compare two reports. The caller says which is the older.

    Raises NotFound for a missing report or file, and BadRequest for a report that is not complete
    and for two that do not fit each other.
    """
    older, newer = _get_complete(older_report_id), _get_complete(newer_report_id)
    if find_kind(older) != find_kind(newer):
        raise BadRequest(
            "These two reports cannot be compared.",
            "Choose two by the same method, of the same stores, and of windows of the same length.",
        )
    table = _read_measures(older).merge(
        _read_measures(newer),
        how="outer",
        on="store_id",
        suffixes=("_older", "_newer"),
        indicator="only_in",
        validate="one_to_one",
    )
    side = table["only_in"].astype("str")
    table["only_in"] = side.map({"left_only": "older", "right_only": "newer"})
    for measure, digits in zip(MEASURES, (1, 2), strict=True):
        change = table[f"{measure}_newer"] - table[f"{measure}_older"]
        # Hours in reports are rounded, so shares may differ by some hundredths without any change.
        table[f"{measure}_change"] = change.round(digits) + 0.0
    share, down = (table[f"{measure}_change"].to_numpy() for measure in MEASURES)
    order = np.lexsort((np.arange(len(table)), -np.abs(down), share, -np.abs(share)))
    columns = [name for name in CSV_COLUMNS if name in table.columns]
    return Comparison(older, newer, table[columns].iloc[order].reset_index(drop=True))


def write_comparison(table: pd.DataFrame) -> str:
    """A table of a comparison as CSV. It has the columns ``name`` (text or None) and ``groups``
    (lists of names) besides those of `Comparison`."""
    rounded = table.round({f"uptime_percent_{side}": 2 for side in SIDES})
    groups: Any = [join_groups(names) or None for names in table["groups"]]
    texts = rounded.assign(groups=groups)
    cells = texts[list(CSV_COLUMNS)].astype(object)
    rows = cells.where(cells.notna(), None).to_numpy().tolist()
    return write_csv(CSV_COLUMNS, rows)


def _read_measures(report: Report) -> pd.DataFrame:
    """The stores of a report with their MEASURES in its window."""
    if report.window is not None:
        table = pd.DataFrame(report_details.read(report).records())
        found = table.reindex(columns=["store_id", *MEASURES])
        return found.astype({"store_id": "str", **dict.fromkeys(MEASURES, "float64")})
    table = reports.read_table(report)
    up, down = table["uptime_last_week"], table["downtime_last_week"]
    seen = up + down
    share = 100 * up / seen.where(seen > 0)
    return pd.DataFrame({"store_id": table["store_id"], "uptime_percent": share, "down": down})


def _get_complete(report_id: str) -> Report:
    report = reports.get(report_id)
    if report.status == COMPLETE:
        return report
    hint = "Wait until it is complete." if report.status == RUNNING else "Make a new one."
    raise BadRequest(f"Report {report.id} cannot be compared: it is {report.status.lower()}.", hint)
