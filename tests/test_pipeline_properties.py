"""The report out of a database (import, snapshot, carry-in, core) against the reference."""

import pytest
from hypothesis import HealthCheck, given, settings

from restmon import database, models, reports
from restmon.snapshot import SnapshotCache
from restmon.uptime import METHODS
from tests import reference
from tests.conftest import Workspace
from tests.stores import DAY, AStore, cases

pytestmark = pytest.mark.both_databases


def wall(time: int) -> str:
    seconds, fraction = divmod(time, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text


def start_anew() -> None:
    """Empty every table."""
    with database.writing():
        for model in (models.Poll, models.BusinessHours, models.Store):
            model.delete().execute()
        models.Revision.create(rebuild=True)


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=3))
@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_the_report_is_the_references(
    workspace: Workspace, method: str, case: tuple[list[AStore], int]
):
    stores, as_of = case
    start_anew()
    polls = [
        f"s{s},{'active' if active else 'inactive'},{reports.as_text(t)}\n"
        for s, store in enumerate(stores)
        for t, active in store.polls
    ]
    polls.append(f"anchor,active,{reports.as_text(as_of - 900 * DAY)}\n")
    hours = [
        f"s{s},{day},{wall(start)},{wall(end)}\n"
        for s, store in enumerate(stores)
        for day, start, end in store.hours
    ]
    zones = [f"s{s},{store.zone}\n" for s, store in enumerate(stores) if store.zone]
    row = workspace.import_now("".join(polls), "".join(hours), "".join(zones))
    assert row.counts["rejected"] == 0
    text = reports.compute(as_of, method, cache=SnapshotCache()).csv()
    found = {line.split(",")[0]: line.split(",")[1:] for line in text.splitlines()[1:]}
    named = [s for s, store in enumerate(stores) if store.hours or store.zone or store.polls]
    assert sorted(found) == sorted(["anchor", *(f"s{s}" for s in named)])
    for s in named:
        store = stores[s]
        expected = reference.report_row(store.hours, store.zone, store.polls, as_of, method)
        assert found[f"s{s}"] == expected
