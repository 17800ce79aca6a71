"""Thanksgiving, with and without hours of its own: the numbers that SEMANTICS.md gives."""

from datetime import UTC, datetime, timedelta

import pytest

from restmon.core.instants import from_datetime
from restmon.reporting import computation, outage_list
from restmon.reporting.scopes import Scope
from restmon.reporting.snapshot import SnapshotCache
from restmon.reporting.windows import parse_window
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

FIRST = datetime(
    2025, 11, 24, 0, 30, tzinfo=UTC
)  # of Thanksgiving's week; in New York still Sunday
TIMES = [FIRST + timedelta(hours=n) for n in range(5 * 24)]
POLLS = "".join(
    f"t,{'inactive' if (when - timedelta(hours=5)).day == 27 else 'active'},"
    f"{when:%Y-%m-%d %H:%M:%S} UTC\n"
    for when in TIMES
)
HOURS = "".join(f"t,{day},09:00,17:00\n" for day in range(5))
AS_OF = from_datetime(datetime(2025, 11, 29, tzinfo=UTC))


@pytest.mark.parametrize(
    ("other_hours", "down_day", "down", "outage"),
    [
        # The store is off all Thursday, from Wednesday's closing to Friday's opening.
        (None, "0.00", "8.00", ("14:00", "22:00", 480.0)),
        ("t,2025-11-27,,\n", "0.00", "0.00", None),
        ("t,2025-11-27,10:00,14:00\n", "0.00", "4.00", ("15:00", "19:00", 240.0)),
        # Its last four hours are on Friday by UTC, in the last day.
        ("t,2025-11-27,07:00,23:00\n", "4.00", "16.00", ("12:00", "04:00", 960.0)),
    ],
    ids=["no-other-hours", "closed", "shorter", "longer"],
)
def test_thanksgiving(
    workspace: Workspace, other_hours: str | None, down_day: str, down: str, outage: tuple | None
):
    workspace.import_now(POLLS, HOURS, "t,America/New_York\n")
    if other_hours:
        head = "store_id,date,start_time_local,end_time_local\n"
        file = workspace.write("o.csv", head + other_hours)
        assert workspace.command("import", file).returncode == 0
    text = computation.compute(as_of=AS_OF, cache=SnapshotCache()).csv()
    cells = text.splitlines()[1].split(",")
    assert cells == ["t", "0.00", "8.00", "32.00", "0.00", down_day, down]
    words = {"from": "2025-11-24", "to": "2025-11-28"}
    found = outage_list.find_outages_in(Scope(), parse_window(words), AS_OF)
    outages = [
        (row[3][11:16], row[4][11:16], row[8])
        for row in outage_list.make_rows(found, found.outages)
    ]
    assert outages == ([outage] if outage else [])
