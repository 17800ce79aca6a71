"""Two reports side by side: which stores got worse."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from restmon.errors import BadRequest
from restmon.reporting import computation, reports
from restmon.storage.models import COMPLETE, RUNNING, Report

WEEK = ("uptime_last_week", "downtime_last_week")


@dataclass(frozen=True)
class Comparison:
    """Two complete reports, joined by store.

    ``table`` has a row for every store in either report, with the columns:

    - ``store_id`` (text), and ``only_in`` ("older", "newer", or NaN for a store in both);
    - ``uptime_share_older`` and ``uptime_share_newer``: per cent of the week's observed open time
      (NaN without any), and ``uptime_share_change``: percentage points, rounded to tenths;
    - ``downtime_change`` of the week, in hours; - each column of the reports, with ``_older`` and
    ``_newer`` appended (minutes for the hour, else
      hours; NaN if the store is not in that report).

    The row whose uptime share fell most comes first; among equal ones, the row whose downtime rose
    most. Rows that cannot be compared come last.
    """

    older: Report
    newer: Report
    table: pd.DataFrame

    @property
    def worse(self) -> int:
        """How many stores have a lower uptime share than before."""
        return int((self.table["uptime_share_change"] < 0).sum())

    @property
    def better(self) -> int:
        """How many stores have a higher uptime share than before."""
        return int((self.table["uptime_share_change"] > 0).sum())

    @property
    def same_method(self) -> bool:
        """Whether both use the same method. If not, a change may come from the method and not from
        the stores."""
        return bool(self.older.method == self.newer.method)

    @property
    def backwards(self) -> bool:
        """Whether the newer report is as of an instant before the older one's."""
        return _as_of(self.newer) < _as_of(self.older)


def suggest_reports(complete: list[Report]) -> tuple[Report, Report]:
    """Choose the (older, newer) report to compare from at least two, given latest first. Takes the
    newest by ``as_of``, and the newest before it, by the same method if there is one. If all are as
    of the same instant, takes the latest two."""
    newer, *others = sorted(complete, key=_as_of, reverse=True)
    before = [row for row in others if _as_of(row) < _as_of(newer)] or others
    return next((row for row in before if row.method == newer.method), before[0]), newer


def _as_of(complete: Report) -> int:
    return int(complete.as_of or 0)


def compare_reports(older_report_id: str, newer_report_id: str) -> Comparison:
    """Compare two reports. The caller says which is the older.

    Raises NotFound for a missing report or CSV, and BadRequest for a report that is not complete.
    """
    older, newer = _get_complete(older_report_id), _get_complete(newer_report_id)
    table = reports.read_table(older).merge(
        reports.read_table(newer),
        how="outer",
        on="store_id",
        suffixes=("_older", "_newer"),
        indicator="only_in",
        validate="one_to_one",
    )
    side = table["only_in"].astype("str")
    table["only_in"] = side.map({"left_only": "older", "right_only": "newer"})
    for when in ("older", "newer"):
        table[f"uptime_share_{when}"] = _share(table, when)
    # Hours in reports are rounded, so shares may differ by some hundredths without any change.
    share = table["uptime_share_newer"] - table["uptime_share_older"]
    table["uptime_share_change"] = share.round(1) + 0.0
    hours = table["downtime_last_week_newer"] - table["downtime_last_week_older"]
    table["downtime_change"] = hours.round(2) + 0.0
    first = ["store_id", "only_in", "uptime_share_older", "uptime_share_newer"]
    first += ["uptime_share_change", "downtime_change"]
    rest = [f"{column}_{when}" for column in computation.COLUMNS for when in ("older", "newer")]
    order = np.lexsort(
        (
            np.arange(len(table)),
            -table["downtime_change"].to_numpy(),
            table["uptime_share_change"].to_numpy(),
        )
    )
    return Comparison(older, newer, table[first + rest].iloc[order].reset_index(drop=True))


def _share(table: pd.DataFrame, when: str) -> pd.Series:
    """The week's uptime in per cent of its up and down time; NaN without any."""
    up, down = (table[f"{column}_{when}"] for column in WEEK)
    seen = up + down
    return 100 * up / seen.where(seen > 0)


def _get_complete(report_id: str) -> Report:
    report = reports.get(report_id)
    if report.window is not None:
        raise BadRequest(
            f"Report {report.id} cannot be compared: it is of a window of its own.",
            "Choose one of the last hour, day and week.",
        )
    if report.status == COMPLETE:
        return report
    hint = "Wait until it is complete." if report.status == RUNNING else "Make a new one."
    raise BadRequest(f"Report {report.id} cannot be compared: it is {report.status.lower()}.", hint)
