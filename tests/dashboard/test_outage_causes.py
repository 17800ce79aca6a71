"""The causes and notes of outages on the pages, whatever the polls and people gave."""

import pytest

from restmon.access.roles import Actor, Role
from restmon.storage import database
from restmon.storage.models import Poll, PollReason
from restmon.stores import notes
from tests.support.pages import html_rows, outages_shown, page, well
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

POLLS = "".join(
    f"a,{status},2023-01-25 {hour}:00:00\n"
    for hour, status in ((12, "active"), (13, "inactive"), (15, "active"))
)


HOSTILE = [
    "Tablet offline",
    "a|b",
    "back\\slash|",
    "*bold* <b>bold</b> [a](javascript:b)",
    "<img src=x onerror=alert(1)>",
    "=1+1",
]


@pytest.mark.parametrize("reason", HOSTILE)
def test_a_cause_and_a_note_are_shown_as_they_are(workspace: Workspace, reason: str):
    workspace.import_now(POLLS)
    with database.writing():
        down = Poll.get(Poll.status == 0)
        PollReason.create(store=down.store, timestamp=down.timestamp, reason=reason)
    notes.add_note("a", down.timestamp, "Other", reason, Actor(reason, Role.OPERATOR))
    (row,) = outages_shown(well(page("store", store="a")))
    assert row["Why"] == reason
    assert row["Notes"] == f"Other. {reason} ({reason}, just now)"
    (row,) = html_rows(page("outages"))
    assert row["Why"] == reason
    assert row["Notes"] == f"Other. {reason} ({reason}, just now)"


def test_without_a_cause_the_inactive_polls_are_named(workspace: Workspace):
    workspace.import_now(POLLS, zones="a,America/Chicago\n")
    (row,) = outages_shown(page("store", store="a"))
    assert row["Why"] == "The 7:00 AM poll was inactive."
    workspace.import_now("a,inactive,2023-01-25 14:30:00\n")
    (row,) = outages_shown(page("store", store="a"))
    assert row["Why"] == "Polls from 7:00 AM to 8:30 AM were inactive."
    assert html_rows(page("outages"))[0]["Why"] == row["Why"]
