"""Forgetting old polls."""

import pytest

from restmon.core.instants import DAY
from restmon.ops import retention
from restmon.reporting import computation
from restmon.storage import database
from restmon.storage.models import Poll
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

DAYS = [f"2023-{month:02d}-{day:02d}" for month in (1, 2, 3) for day in range(1, 29)]


def count() -> int:
    with database.session():
        return int(Poll.select().count())


def import_days(workspace: Workspace) -> None:
    polls = "".join(f"{s},active,{d} 12:00:00 UTC\n" for d in DAYS for s in ("a", "b", "c"))
    workspace.import_now(polls + "old,inactive,2023-01-01 00:00:00 UTC\n")


def test_polls_beyond_the_retention_go_and_no_others(workspace: Workspace):
    import_days(workspace)
    before = computation.compute().csv()
    limit = computation.parse_as_of("2023-03-28 12:00:00") - 40 * DAY
    with database.session():
        expected = Poll.select().where(Poll.timestamp < limit).count()
        kept = Poll.select().where(Poll.timestamp >= limit).count()
    assert expected > 100
    assert retention.apply(40, accept_much=True) == expected
    assert count() == kept
    assert retention.apply(40) == 0
    after = computation.compute().csv()
    assert [x for x in after.splitlines() if not x.startswith("old,")] == [
        x for x in before.splitlines() if not x.startswith("old,")
    ]


def test_without_the_setting_nothing_goes(workspace: Workspace):
    import_days(workspace)
    everything = count()
    assert retention.apply() == 0
    assert count() == everything


def test_vacuum_from_the_shell_gives_space_back(workspace: Workspace):
    polls = "".join(
        f"s{s},active,{d} {h:02d}:00:00 UTC\n" for d in DAYS for s in range(150) for h in range(24)
    )
    workspace.import_now(polls)
    done = workspace.command("vacuum", "--yes", env={"RESTMON_RETENTION_DAYS": "30"})
    assert done.returncode == 0, done.stderr
    assert "old polls deleted" in done.stdout
    deleted, size, fewer = (int(w.replace(",", "")) for w in done.stdout.split() if w[0].isdigit())
    assert deleted > 10_000
    assert fewer > size / 4


def test_a_retention_too_short_is_refused(workspace: Workspace):
    done = workspace.command("vacuum", env={"RESTMON_RETENTION_DAYS": "7"})
    assert done.returncode == 2
    assert "RESTMON_RETENTION_DAYS='7'" in done.stderr
