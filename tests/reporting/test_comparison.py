"""Reports as tables, and two of them side by side."""

from typing import Any

import pytest
from pandas import isna

from restmon.errors import BadRequest, NotFound, RestmonError
from restmon.reporting import comparison, computation, reports
from restmon.storage import files
from restmon.storage.files import Kind
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


def test_which_stores_changed_the_most(two: tuple[Report, Report]):
    older, newer = two
    found = comparison.compare_reports(older.id, newer.id)
    assert (found.older.id, found.newer.id) == (older.id, newer.id)
    # The two that cannot be compared come last.
    assert found.table["store_id"].tolist() == [
        "much-worse",
        "better",
        "worse",
        "001",
        "same",
        "NA",
        "new",
    ]
    assert (found.worse, found.better) == (2, 1)
    row = row_of(found, "much-worse")
    assert row["down_older"] == 24
    assert row["down_newer"] == 168
    assert row["down_change"] == 144
    assert row["uptime_percent_older"] == pytest.approx(100 * 6 / 7)
    assert row["uptime_percent_newer"] == 0
    assert row["uptime_percent_change"] == -85.7
    assert isna(row["only_in"])
    row = row_of(found, "same")
    assert (row["uptime_percent_change"], row["down_change"]) == (0, 0)


def test_stores_of_one_report_and_stores_never_seen(two: tuple[Report, Report]):
    older, newer = two
    found = comparison.compare_reports(older.id, newer.id)
    row = row_of(found, "new")
    assert row["only_in"] == "newer"
    assert isna(row["down_older"])
    assert row["down_newer"] == 0
    assert isna(row["uptime_percent_change"])
    assert row_of(comparison.compare_reports(newer.id, older.id), "new")["only_in"] == "older"
    row = row_of(found, "NA")
    assert row["down_change"] == 0
    assert isna(row["only_in"])
    assert isna(row["uptime_percent_older"])


def test_the_other_way_round_is_the_opposite(two: tuple[Report, Report]):
    older, newer = two
    there, back = (
        comparison.compare_reports(older.id, newer.id),
        comparison.compare_reports(newer.id, older.id),
    )
    assert (back.worse, back.better) == (there.better, there.worse)
    assert back.table["store_id"].tolist()[0] == "much-worse"
    itself = comparison.compare_reports(newer.id, newer.id)
    assert (itself.worse, itself.better, itself.table["only_in"].notna().sum()) == (0, 0, 0)


def test_windows_are_compared_as_plain_reports_are(two: tuple[Report, Report]):
    older, newer = (
        made_of({"from": first, "to": end})
        for first, end in (("2023-01-08", "2023-01-15"), ("2023-01-15", "2023-01-22"))
    )
    plain = comparison.compare_reports(*(row.id for row in two)).table
    found = comparison.compare_reports(older.id, newer.id).table
    both = found[~found["store_id"].isin(["new"])].reset_index(drop=True)
    known = plain[~plain["store_id"].isin(["new"])].reset_index(drop=True)
    assert both["store_id"].tolist() == known["store_id"].tolist()
    for column in ("uptime_percent_change", "down_older", "down_newer", "down_change"):
        assert both[column].fillna(-1).tolist() == known[column].fillna(-1).tolist()


def test_a_comparison_as_csv(two: tuple[Report, Report]):
    table = comparison.compare_reports(*(row.id for row in two)).table
    named = table.assign(name="=1+1", groups=[["North", "a;b"]] * len(table))
    head, first, *_ = comparison.write_comparison(named).splitlines()
    assert head == ",".join(comparison.CSV_COLUMNS)
    assert first == "much-worse,'=1+1,North;a\\;b,85.71,0.00,-85.70,24.00,168.00,144.00,"


def test_what_cannot_be_compared(two: tuple[Report, Report]):
    older, newer = two
    with pytest.raises(NotFound, match="no report 'x'"):
        comparison.compare_reports("x", newer.id)
    running = reports.request()
    with pytest.raises(BadRequest, match="it is running"):
        comparison.compare_reports(older.id, running.id)
    key = reports.csv_key(newer.id)
    whole = files.read(Kind.REPORT, key)
    for damage in (whole[:-30], b"", whole.replace(b"168.00", b"1x8.00"), b"\x00" * len(whole)):
        files.save(Kind.REPORT, key, damage)
        with pytest.raises(RestmonError, match="is damaged"):
            comparison.compare_reports(older.id, newer.id)
    files.delete(Kind.REPORT, key)
    with pytest.raises(NotFound, match=f"no longer in {files.where(Kind.REPORT)}"):
        comparison.compare_reports(older.id, newer.id)


def made_of(words: dict[str, str]) -> Report:
    row = reports.request(part=reports.Part(words), as_of=computation.parse_as_of(SECOND))
    assert reports.work(row.id)
    return reports.get(row.id)


def test_reports_that_do_not_fit_are_refused(two: tuple[Report, Report]):
    plain = two[1]
    others = [made(SECOND, "previous"), made_of({"last": "7d"}), made_of({"last": "24h"})]
    for other in others:
        with pytest.raises(BadRequest, match="cannot be compared"):
            comparison.compare_reports(plain.id, other.id)
        assert comparison.find_partners(other, [*two, *others]) == []


def row_as_of(n: int, as_of: str, **values: Any) -> Report:
    return Report(id=str(n), as_of=computation.parse_as_of(f"{as_of} 12:00:00 UTC"), **values)


def test_whole_months_fit_each_other_and_one_that_goes_on_fits_none():
    january, february, march = (
        row_as_of(n, "2023-03-20", window={"month": f"2023-0{n}"}) for n in (1, 2, 3)
    )
    rows = [january, february, march]
    assert comparison.find_partners(february, rows) == [january]
    assert comparison.find_partners(march, rows) == []


def test_weeks_that_follow_each_other_are_suggested():
    weeks = [
        row_as_of(
            n, "2023-03-20", window={"from": f"2023-03-{day:02d}", "to": f"2023-03-{day + 7}"}
        )
        for n, day in enumerate((3, 6, 8, 13))
    ]
    partners = comparison.find_partners(weeks[3], weeks)
    assert [row.id for row in partners] == ["2", "1", "0"]
    assert comparison.suggest_older(weeks[3], partners).id == "1"
    assert comparison.suggest_older(weeks[3], partners[:1]).id == "2"


def test_reports_of_other_groups_do_not_fit():
    words = {"group": "North", "group_row": 1}
    rows = [
        row_as_of(0, "2023-03-20", scope=words),
        row_as_of(1, "2023-03-13", scope=words),
        row_as_of(2, "2023-03-13", scope={"group": "South", "group_row": 2}),
        row_as_of(3, "2023-03-13"),
        row_as_of(4, "2023-03-13", groups=[1]),
    ]
    assert [row.id for row in comparison.find_partners(rows[0], rows)] == ["1"]
