"""What a person chooses before an import: numbers of days, order of dates, which column is which;
and what the preview says it understood."""

import io
import zipfile
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from restmon.ingest import imports
from restmon.reporting import computation
from restmon.storage import database
from restmon.storage.models import COMPLETE, BusinessHours
from tests.support.clock import plant_polls
from tests.support.pages import page, seen, well
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, Workspace

SEVEN = HOURS_HEADER + "a,1,9:00,17:00\na,7,closed,closed\nb,2,17:00,1:00\n"


def dropped(*files: tuple[str, str | bytes]) -> AppTest:
    """The upload page with files dropped on it."""
    at = page("upload")
    given = [
        (name, content.encode() if isinstance(content, str) else content, "text/csv")
        for name, content in files
    ]
    at.file_uploader[0].set_value(given)
    return well(at.run())


def choice(at: AppTest, label: str) -> Any:
    (found,) = [box for box in at.selectbox if box.label == label]
    return found


def offered(at: AppTest) -> bool:
    """Whether the page offers to import the files."""
    return any(button.key == "import" for button in at.button)


def finished(at: AppTest) -> Any:
    """The import that a click on the page's button starts, worked on to its end."""
    well(at.button("import").click().run())
    (row,) = imports.list_recent()
    imports.work(row.id)
    row = imports.get(row.id)
    assert row.status == COMPLETE, row.error
    return row


@pytest.mark.parametrize(
    ("numbers", "says", "days"),
    [
        ("1-monday", "Monday 9:00 AM to 5:00 PM", [0, 6, 1]),
        ("1-sunday", "Sunday 9:00 AM to 5:00 PM", [6, 5, 0]),
    ],
)
def test_the_numbers_of_days_are_asked_for(
    workspace: Workspace, numbers: str, says: str, days: list[int]
):
    at = dropped(("hours.csv", SEVEN))
    assert "hours.csv has a day 7" in seen(at)
    assert not offered(at)
    at = well(choice(at, "How are the days numbered?").select(numbers).run())
    assert says in seen(at)
    assert offered(at)
    finished(at)
    with database.session():
        found = [h.day_of_week for h in BusinessHours.select()]
    assert sorted(found) == sorted(days)


def test_what_was_understood_is_told_of_any_store(workspace: Workspace):
    at = dropped(("hours.csv", HOURS_HEADER + "a,Mon,9 AM,5 PM\na,Sun,x,x\nb,Tue,5 PM,1 AM\n"))
    assert "store a: Monday 9:00 AM to 5:00 PM" in seen(at)
    assert "Sunday closed" in seen(at)
    at = well(choice(at, "In words, for the store").select("b").run())
    assert "Tuesday 5:00 PM to 1:00 AM the next day; Wednesday to Sunday closed" in seen(at)


def test_the_order_of_dates_is_asked_for(workspace: Workspace):
    at = dropped(("polls.csv", POLLS_HEADER + "a,up,3/4/2024 15:10\n"))
    assert "may be month first or day first" in seen(at)
    assert not offered(at)
    at = well(choice(at, "How are the dates written?").select("day-first").run())
    assert "one poll, at April 3, 2024, 3:10:00 PM UTC" in seen(at)
    at = well(choice(at, "How are the dates written?").select("month-first").run())
    assert "one poll, at March 4, 2024, 3:10:00 PM UTC" in seen(at)
    finished(at)
    assert computation.compute().as_of == computation.parse_as_of("2024-03-04 15:10:00")


def test_which_column_is_which_is_chosen_beside_samples(workspace: Workspace):
    text = "Shop,Checked at,State\na,2024-03-04 15:10,up\nb,2024-03-04 16:10,down\n"
    at = dropped(("export.csv", text))
    assert not offered(at)
    for ours, theirs in (("store_id", "Shop"), ("timestamp_utc", "Checked at")):
        box = choice(at, ours)
        assert any("2024-03-04 15:10" in option for option in box.options), box.options
        at = well(box.select(theirs).run())
        assert not offered(at)
    at = well(choice(at, "status").select("State").run())
    assert "as was chosen" in seen(at)
    assert finished(at).counts["new"] == 2
    # The next file with that header needs no choice.
    at = dropped(("later.csv", "shop;checked_at;STATE\nc;2024-03-05 15:10;up\n"))
    assert offered(at)


@pytest.mark.parametrize(
    ("member", "says"),
    [("in.zip", "a ZIP inside a ZIP"), ("../x.csv", "leads out of it")],
)
def test_a_container_that_is_refused_is_one_sentence(workspace: Workspace, member: str, says: str):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("p.csv", POLLS_HEADER)
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        archive.writestr(member, inner.getvalue())
    at = dropped(("f.zip", outer.getvalue()))
    assert says in seen(at)
    assert not offered(at)


def test_polls_from_the_future_are_told_above_every_page(workspace: Workspace):
    workspace.import_now("a,active,2023-01-24 16:00:00 UTC\n")
    assert "from the future" not in seen(page())
    plant_polls("a", computation.parse_as_of("2099-01-01 00:00:00"))
    for name in ("overview", "data_check"):
        shown = seen(page(name))
        assert "1 poll is from the future and not shown. Check this machine's clock." in shown
    assert "python -m restmon forget --after now" in seen(page())
