"""Reports as tables, and two of them side by side."""

from typing import Any

import pytest
from pandas import isna

from restmon.errors import BadRequest, NotFound, RestmonError
from restmon.reporting import comparison, computation, reports
from restmon.storage.models import COMPLETE, Report
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

# Open around the clock in UTC; each poll stands for the day around its noon.
ZONES = "".join(f"{s},UTC\n" for s in ("001", "NA", "better", "same", "worse", "much-worse"))
FIRST = "2023-01-15 00:00:00 UTC"
SECOND = "2023-01-22 00:00:00 UTC"
DOWN_DAYS = {  # days down of the first and of the second week
    "001": (0, 0),
    "better": (3, 1),
    "same": (2, 2),
    "worse": (0, 1),
    "much-worse": (1, 7),
}


def polls() -> str:
    lines = []
    for store, both in DOWN_DAYS.items():
        for week, down in enumerate(both):
            for day in range(7):
                status = "inactive" if day < down else "active"
                lines.append(f"{store},{status},2023-01-{8 + 7 * week + day:02d} 12:00:00 UTC\n")
    return "".join(lines)


def made(as_of: str, method: str = "nearest") -> Report:
    row = reports.request(computation.parse_as_of(as_of), method)
    assert reports.work(row.id)
    found = reports.get(row.id)
    assert found.status == COMPLETE
    return found


@pytest.fixture
def two(workspace: Workspace) -> tuple[Report, Report]:
    """A report of the first week, then one of the second, with one store more."""
    workspace.import_now(polls=polls(), zones=ZONES)
    older = made(FIRST)
    workspace.import_now(polls="new,active,2023-01-20 12:00:00 UTC\n", zones="new,UTC\n")
    return older, made(SECOND)


def row_of(found: comparison.Comparison, store_id: str) -> dict[str, Any]:
    (row,) = found.table[found.table["store_id"] == store_id].to_dict("records")
    return row


def test_a_report_as_a_table(two: tuple[Report, Report]):
    table = reports.read_table(two[0])
    assert ",".join(table.columns) == computation.HEADER
    assert table["store_id"].tolist() == ["001", "NA", "better", "much-worse", "same", "worse"]
    assert table.set_index("store_id").loc["001"].tolist() == [60, 24, 168, 0, 0, 0]
    text = reports.read_csv(two[0]).decode().splitlines()[1:]
    again = [",".join([s, *(f"{n:.2f}" for n in rest)]) for s, *rest in table.to_numpy().tolist()]
    assert again == text


def test_which_stores_got_worse(two: tuple[Report, Report]):
    older, newer = two
    found = comparison.compare_reports(older.id, newer.id)
    assert (found.older.id, found.newer.id, found.same_method) == (older.id, newer.id, True)
    # The two that cannot be compared come last.
    assert found.table["store_id"].tolist() == [
        "much-worse",
        "worse",
        "001",
        "same",
        "better",
        "NA",
        "new",
    ]
    assert (found.worse, found.better) == (2, 1)
    row = row_of(found, "much-worse")
    assert row["downtime_last_week_older"] == 24
    assert row["downtime_last_week_newer"] == 168
    assert row["downtime_change"] == 144
    assert row["uptime_share_older"] == pytest.approx(100 * 6 / 7)
    assert row["uptime_share_newer"] == 0
    assert row["uptime_share_change"] == -85.7
    assert isna(row["only_in"])
    row = row_of(found, "same")
    assert (row["uptime_share_change"], row["downtime_change"]) == (0, 0)


def test_stores_of_one_report_and_stores_never_seen(two: tuple[Report, Report]):
    older, newer = two
    found = comparison.compare_reports(older.id, newer.id)
    row = row_of(found, "new")
    assert row["only_in"] == "newer"
    assert isna(row["uptime_last_day_older"])
    assert row["uptime_last_day_newer"] == 24
    assert isna(row["uptime_share_change"])
    assert row_of(comparison.compare_reports(newer.id, older.id), "new")["only_in"] == "older"
    row = row_of(found, "NA")
    assert row["downtime_change"] == 0
    assert isna(row["only_in"])
    assert isna(row["uptime_share_older"])


def test_the_other_way_round_is_the_opposite(two: tuple[Report, Report]):
    older, newer = two
    there, back = (
        comparison.compare_reports(older.id, newer.id),
        comparison.compare_reports(newer.id, older.id),
    )
    assert (back.worse, back.better) == (there.better, there.worse)
    assert back.table["store_id"].tolist()[0] == "better"
    itself = comparison.compare_reports(newer.id, newer.id)
    assert (itself.worse, itself.better, itself.table["only_in"].notna().sum()) == (0, 0, 0)


def test_reports_by_two_methods_say_so(two: tuple[Report, Report]):
    other = made(SECOND, "previous")
    assert not comparison.compare_reports(two[1].id, other.id).same_method


def test_what_cannot_be_compared(two: tuple[Report, Report]):
    older, newer = two
    with pytest.raises(NotFound, match="no report 'x'"):
        comparison.compare_reports("x", newer.id)
    running = reports.request()
    with pytest.raises(BadRequest, match="it is running"):
        comparison.compare_reports(older.id, running.id)
    path = reports.csv_path(newer.id)
    whole = path.read_bytes()
    for damage in (whole[:-30], b"", whole.replace(b"168.00", b"1x8.00"), b"\x00" * len(whole)):
        path.write_bytes(damage)
        with pytest.raises(RestmonError, match="is damaged"):
            comparison.compare_reports(older.id, newer.id)
    path.unlink()
    with pytest.raises(NotFound, match="no longer in the reports folder"):
        comparison.compare_reports(older.id, newer.id)


@pytest.mark.parametrize(
    ("made_last_first", "pair"),
    [
        ([(1, "nearest"), (2, "nearest")], (0, 1)),
        ([(2, "nearest"), (1, "nearest")], (1, 0)),
        ([(3, "nearest"), (2, "previous"), (1, "nearest")], (2, 0)),
        ([(3, "nearest"), (2, "previous"), (1, "previous")], (1, 0)),
        ([(3, "nearest"), (3, "nearest"), (1, "nearest")], (2, 0)),
        ([(3, "nearest"), (3, "previous"), (3, "nearest")], (2, 0)),
        ([(3, "nearest"), (3, "previous")], (1, 0)),
    ],
)
def test_the_two_reports_to_compare(made_last_first: list[tuple[int, str]], pair: tuple[int, int]):
    rows = [
        Report(id=str(n), as_of=as_of, method=m) for n, (as_of, m) in enumerate(made_last_first)
    ]
    older, newer = comparison.suggest_reports(rows)
    assert (int(older.id), int(newer.id)) == pair
