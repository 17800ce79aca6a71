"""The causes of outages on the Store page, whatever the polls gave as a reason."""

import pytest

from restmon.storage import database
from restmon.storage.models import Poll, PollReason
from tests.support.pages import page, well
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

POLLS = "".join(
    f"a,{status},2023-01-25 {hour}:00:00\n"
    for hour, status in ((12, "active"), (13, "inactive"), (15, "active"))
)


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("Tablet offline", "Tablet offline"),
        ("a|b", r"a\|b"),
        ("two\nlines\r\n| here", r"two lines \| here"),
        (r"back\slash|", r"back\\slash\|"),
        ("*bold* <b>", r"\*bold\* \<b\>"),
    ],
)
def test_a_cause_is_one_cell_of_its_row(workspace: Workspace, reason: str, shown: str):
    workspace.import_now(POLLS)
    with database.writing():
        down = Poll.get(Poll.status == 0)
        PollReason.create(store=down.store, timestamp=down.timestamp, reason=reason)
    at = well(page("store", store="a"))
    (table,) = [text for text in at.markdown.values if text.startswith("| Start | End |")]
    _, _, row = table.splitlines()
    assert row.endswith(f" | {shown} |")
