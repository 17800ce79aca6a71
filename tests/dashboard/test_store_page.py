"""The Store page: the week, the pace of the target, why, dates with other hours, notes."""

import json
from html import unescape
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from restmon.core.instants import HOUR
from restmon.ingest.store_editing import save_dates
from restmon.reporting import reports
from restmon.stores import notes, targets
from restmon.stores.subjects import Subject
from tests.support.pages import html_shown, outages_shown, page, rows_of, seen, well
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

POLLS = "".join(
    f"{store},{'inactive' if day == 24 and hour in down else 'active'},"
    f"2023-01-{day:02} {hour:02}:00:00 UTC\n"
    for store, down in (("a", (12, 13)), ("b", (15,)))
    for day in range(9, 26)
    for hour in range(24)
)
ZONES = "a,UTC\nb,UTC\n"
NOON = 1674583200_000_000  # 2023-01-24 18:00 UTC


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    workspace.import_now(POLLS, zones=ZONES)
    return workspace


def rows_with(at: AppTest, caption: str) -> list[dict[str, str]]:
    return rows_of([body for body in html_shown(at) if f"<caption>{caption}" in body])


def test_the_last_week_beside_the_week_before(stores: Workspace):
    at = page("store", store="a")
    assert "Last 7 days: 1.2 points lower uptime and 2 h 00 min more downtime than" in seen(at)
    days = rows_with(at, "The last 7 days, and the week before")
    assert [row["Day"] for row in days][:2] == ["Wed, Jan 25 today so far", "Tue, Jan 24"]
    assert days[1]["Uptime"] == "91.7% Jan 17: 100%"
    assert days[1]["Downtime"] == "2 h 00 min Jan 17: 0 min"
    assert days[1]["Outages"] == "1 Jan 17: 0"
    assert days[-1]["Day"] == "All 7 days"
    assert days[-1]["Outages"] == "1 before: 0"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        # January has 744 hours. 2 of 599 (from 0:00 on January 1 to 23:00 on the 25th) were down.
        (999_000, "is missed: 2 h 00 min down, 1 h 15 min more than the 45 min that it allows."),
        (997_000, "is at risk: 2 h 00 min down of the 2 h 14 min that it allows, 14 min left. At"),
        (997_000, "At this pace the target will be missed on Jan 28."),
        (990_000, "is met so far: 2 h 00 min down of the 7 h 26 min that it allows, 5 h 26 min"),
        (990_000, "At this pace 33.4% of it will be used by the end of the month."),
    ],
)
def test_the_target_of_the_month_in_plain_words(stores: Workspace, target: int, says: str):
    targets.set_target(targets.ALL_STORES, target)
    assert says in seen(page("store", store="a"))


def test_a_span_says_why_without_a_mouse(stores: Workspace):
    words = rows_with(page("store", store="a"), "Every span of the timeline")
    (down,) = [row for row in words if row["Status"].startswith("Down")]
    assert down["Status"] == "Down for 2 h 00 min"
    assert down["Begins"] == "from 11:30 AM (midpoint between polls 11:00 AM and 12:00 PM)"
    assert down["Why"].startswith("2 polls say so, Tue, Jan 24, 2023, 12:00 PM UTC to")


def test_dates_with_other_hours_are_marked(stores: Workspace):
    save_dates(
        Subject(store="a"),
        [
            ("2023-01-22", "", "", "Holi<b>day"),
            ("2023-01-24", "10:00", "20:00", "Half day"),
            ("2023-02-01", "", "", "Inventory"),
        ],
    )
    at = page("store", store="a")
    figure = json.loads(at.get("plotly_chart")[0].proto.spec)
    names = figure["layout"]["yaxis"]["ticktext"]
    assert [name for name in names if name.startswith("◆")] == ["◆ Sun, Jan 22", "◆ Tue, Jan 24"]
    (text,) = [trace for trace in figure["data"] if trace.get("mode") == "text"]
    assert [unescape(one) for one in text["text"]] == ["Holi<b>day: closed"]
    assert "&lt;b&gt;" in text["text"][0]
    said = seen(at)
    assert "◆ Other hours: Jan 22: Holi<b>day: closed; Jan 24: Half day: 10:00 AM–8:00 PM" in said
    (row,) = outages_shown(at)
    assert row["Other hours"] == "Jan 24: Half day: 10:00 AM–8:00 PM"
    listed = rows_with(at, "Dates with other hours")
    assert [(one["Date"], one["Open (local time)"], one["Why"]) for one in listed] == [
        ("Sun, Jan 22, 2023", "closed", "Holi<b>day"),
        ("Tue, Jan 24, 2023", "10:00 AM–8:00 PM", "Half day"),
        ("Wed, Feb 1, 2023", "closed", "Inventory"),
    ]


def press(at: AppTest, label: str) -> AppTest:
    (button,) = [button for button in at.button if button.label == label]
    return well(button.click().run())


def test_a_note_is_written_changed_and_deleted(stores: Workspace):
    at = page("store", store="a")
    assert "Notes" not in outages_shown(at)[0]
    at.selectbox("note_cause_new_0").select("Power outage")
    at.text_area("note_text_new_0").set_value("The street was dark.\n<b>All of it</b>")
    at = press(at, "Save the note")
    assert "The note is saved." in at.success.values
    (row,) = outages_shown(at)
    assert row["Why"] == "Power outage"
    said = "Power outage. The street was dark. <b>All of it</b> (this machine, just now)"
    assert row["Notes"].replace("\n", "") == said
    (note,) = notes.list_notes("a")
    at.text_area(f"note_text_{note.id}").set_value("Only us")
    at = press(at, "Save the change")
    assert (
        outages_shown(at)[0]["Notes"] == "Power outage. Only us (this machine, just now, changed)"
    )
    at = press(at, "Delete the note")
    assert notes.list_notes("a") == []
    assert "Notes" not in outages_shown(at)[0]
    at = press(at, "Save the note")
    assert "The note is empty. Choose a cause, or write a text." in seen(at)


def test_who_may_write_notes(people: Workspace, as_: Any):
    written = notes.add_note("a", NOON, "Other", "Seen by all")
    for who, writes, deletes in (
        ("operator", True, True),
        ("owner", True, False),
        ("viewer", False, False),
        ("group-viewer", False, False),
    ):
        as_(who)
        at = page("store", store="a")
        assert outages_shown(at)[0]["Notes"].startswith("Other. Seen by all (this machine, ")
        labels = [button.label for button in at.button]
        assert ("Save the note" in labels, "Delete the note" in labels) == (writes, deletes), who
        assert "Save the change" not in labels
    assert notes.list_notes("a") == [written]
    as_("other")
    assert "Seen by all" not in seen(page("store", store="a"))
    assert "Seen by all" not in seen(page("outages"))


@pytest.mark.parametrize(("hours", "bars"), [(2, 7), (20 * 24, 21), (100 * 24, 90)])
def test_the_strip_begins_with_the_first_poll(workspace: Workspace, hours: int, bars: int):
    """It has a bar a local date, seven at least and ninety at most."""
    polls = (f"a,active,{reports.as_text(NOON - hour * HOUR)}\n" for hour in range(hours + 1))
    workspace.import_now("".join(polls), zones=ZONES)
    blocks = [block.proto.body for block in page("store", store="a").get("html")]
    (strip,) = [body for body in blocks if 'class="strip-bars"' in body]
    assert strip.count('tabindex="-1"') == bars
