"""Files as people have them, one folder a case in `tests/cases`: each comes to the right numbers,
or to a sentence that says what to do."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from restmon.core.timeline import NEAREST
from restmon.errors import FileRejected
from restmon.ingest import imports, incoming_files
from restmon.ingest.choices import Choices
from restmon.reporting import computation
from restmon.storage.models import COMPLETE, Import
from tests.support.workspace import Workspace

CASES = Path(__file__).parent / "cases"
EVENING = "2026-11-24T00:00:00Z"
USUAL = "0.00,5.00,5.00,0.00,3.00,3.00"
NOTHING = "0.00,0.00,0.00,0.00,0.00,0.00"


@dataclass(frozen=True)
class Case:
    """The numbers of stores as of an instant, and what else the import says: the number of
    rejected lines, and parts of the reasons and notices."""

    numbers: dict[str, str]
    as_of: str = EVENING
    rejected: int = 0
    says: list[str] = field(default_factory=list)
    leave_out: tuple[str, ...] = ()


WRITTEN = {
    "single-digit-hours": Case({"1001": USUAL}),
    "am-pm-hours": Case({"1001": "0.00,0.00,0.00,60.00,12.00,12.00"}, "2026-11-24T06:00:00Z"),
    "day-names": Case({"1001": USUAL, "1002": NOTHING}),
    "closed-rows": Case({"1001": USUAL, "1002": NOTHING}),
    "semicolons-and-bom": Case({"1001": USUAL}),
    "lines-above-the-header": Case(
        {"1001": USUAL},
        says=[f"{name}: line {n} is taken" for name, n in (("polls.csv", 2), ("zones.csv", 3))],
    ),
    "header-variants": Case({"1001": USUAL}),
    "spaces-around-values": Case({"1001": USUAL}),
    "epoch-timestamps": Case({"1001": USUAL, "1002": USUAL}),
    "one-poll-from-the-future": Case({"1001": USUAL}, rejected=1, says=["from the future"]),
    "zone-names-in-the-wild": Case(
        {
            **{f"z{n:02}": "0.00,4.00,4.00,0.00,0.00,0.00" for n in (1, 2, 3, 4, 6, 11, 20)},
            "z05": "0.00,3.00,3.00,0.00,1.00,1.00",
            "z15": NOTHING,
        },
        "2026-07-07T00:00:00Z",
        rejected=10,
        says=[
            "EST is UTC−5 all year",
            "Etc/GMT-5 is UTC+5",
            "Etc/GMT+5 is UTC−5",
            "did you mean America/Chicago?",
            "did you mean America/New_York?",
            "likely America/New_York",
            "did you mean America/Los_Angeles?",
            "the time zone is empty",
        ],
    ),
    "zip-as-downloaded": Case({"1001": USUAL}),
    "status-words": Case({"1001": USUAL}),
    "delivery-export-hours": Case(
        {"1001": "0.00,0.00,0.00,0.00,7.50,49.00"},
        "2026-11-24T06:00:00Z",
        leave_out=("hours-osm.csv",),
    ),
}


def imported(paths: list[Path], choices: Choices | None = None) -> Import:
    """An import of files of any kind, whatever they are called."""
    files = [
        file
        for path in paths
        for file in incoming_files.tables_of(path, path.name, None, choices or Choices())
    ]
    row = imports.run_now(files)
    assert row.status == COMPLETE, row.error
    return row


def numbers(as_of: str) -> dict[str, str]:
    """The report's lines by store."""
    data = computation.compute(computation.parse_as_of(as_of), NEAREST)
    lines = data.csv().splitlines()[1:]
    return dict(line.split(",", 1) for line in lines)


def files_of(name: str, leave_out: tuple[str, ...] = ()) -> list[Path]:
    return [p for p in sorted((CASES / name).iterdir()) if p.name not in leave_out]


@pytest.mark.both_databases
@pytest.mark.parametrize("name", WRITTEN)
def test_a_file_as_people_have_it(workspace: Workspace, name: str):
    case = WRITTEN[name]
    row = imported(files_of(name, case.leave_out))
    said = "\n".join(
        [
            *(rejection["reason"] for rejection in row.rejections),
            *row.notices,
            *(note["message"] for note in imports.notes_of(row)),
        ]
    )
    assert row.counts["rejected"] == case.rejected, said
    for part in case.says:
        assert part in said
    found = numbers(case.as_of)
    assert {store: found[store] for store in case.numbers} == case.numbers


def test_hours_in_the_notation_of_a_map(workspace: Workspace):
    imported(files_of("delivery-export-hours", ("hours.csv",)))
    assert numbers("2026-11-24T06:00:00Z")["1001"] == "0.00,0.00,0.00,0.00,7.50,49.00"


def test_dates_of_two_orders_are_rejected_whole(workspace: Workspace):
    (polls,) = files_of("excel-timestamps", ("hours.csv", "zones.csv"))
    row = imports.run_now(incoming_files.tables_of(polls, polls.name))
    assert "a spreadsheet has rewritten the timestamps" in row.error
    assert "date_order" in row.error
    assert row.counts is None
    row = imported([polls], Choices(date_order="month-first"))
    assert (row.counts["new"], row.counts["rejected"]) == (4, 1)
    assert "no such date" in row.rejections[0]["reason"]


@pytest.mark.parametrize("name", ["excel-rounded-ids", "ids-as-floats-and-leading-zeros"])
def test_ids_are_never_joined(workspace: Workspace, name: str):
    imported(files_of(name))
    assert len(numbers(EVENING)) == {"excel-rounded-ids": 2}.get(name, 4)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("one-store-stopped-being-polled", "0.00,8.00,56.00,0.00,0.00,0.00"),
        ("permanently-closed-store", "0.00,0.00,0.00,0.00,8.00,56.00"),
    ],
)
def test_the_plain_files_of_other_cases(workspace: Workspace, name: str, found: str):
    imported(files_of(name))
    assert set(numbers(EVENING).values()) == {found}


@pytest.mark.both_databases
def test_a_holiday_is_neither_up_nor_down(workspace: Workspace):
    evening = "2026-11-27T04:00:00Z"
    imported(files_of("holiday", ("exceptions.csv",)))
    assert numbers(evening)["1001"] == "0.00,0.00,72.00,60.00,12.00,12.00"
    row = imported(files_of("holiday", ("hours.csv", "polls.csv", "zones.csv")))
    assert row.counts["kinds"]["other_hours"]["new"] == 2
    assert numbers(evening)["1001"] == "0.00,0.00,72.00,0.00,0.00,0.00"


@pytest.mark.both_databases
def test_a_store_that_shut_for_good_is_no_longer_down(workspace: Workspace):
    imported(files_of("permanently-closed-store"))
    assert numbers(EVENING)["1001"] == "0.00,0.00,0.00,0.00,8.00,56.00"
    imported([workspace.write("stores.csv", "store_id,closed_on\n1001,2026-11-03\n")])
    assert numbers(EVENING)["1001"] == NOTHING
    assert numbers("2026-11-03T00:00:00Z")["1001"] != NOTHING  # its history stays


def test_a_file_of_no_known_kind_is_told(workspace: Workspace):
    other = workspace.write("x.csv", "store_id,which,start_time_local,end_time_local\n")
    with pytest.raises(FileRejected, match="no column dayOfWeek"):
        incoming_files.tables_of(other, other.name)


@pytest.mark.slow
def test_the_command_line_takes_the_optional_feeds(workspace: Workspace):
    folder = CASES / "holiday"
    directory = workspace.write("stores.csv", "store_id,name\n1001,Main Street\n")
    options = {
        "--polls": folder / "polls.csv",
        "--business-hours": folder / "hours.csv",
        "--timezones": folder / "zones.csv",
        "--other-hours": folder / "exceptions.csv",
        "--directory": directory,
        "--sales": workspace.write("sales.csv", "store_id,dayOfWeek,hour,sales\n1001,0,12,90\n"),
    }
    done = workspace.restmon("import", *(str(part) for pair in options.items() for part in pair))
    assert done.returncode == 0, done.stderr
    for told in ("other_hours: 2 lines read, 2 new", "directory: 1 lines", "sales: 1 lines"):
        assert told in done.stdout
    out = workspace.path / "report.csv"
    done = workspace.restmon("report", "--as-of", "2026-11-27T04:00:00Z", "--output", str(out))
    assert done.returncode == 0, done.stderr
    assert out.read_text().splitlines()[1] == "1001,0.00,0.00,72.00,0.00,0.00,0.00"
