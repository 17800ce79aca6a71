"""The report out of a database (import, snapshot, carry-in, core) against the reference."""

import pytest
from hypothesis import HealthCheck, given, settings

from restmon.core.timeline import METHODS
from restmon.reporting import computation, reports
from restmon.reporting.snapshot import SnapshotCache
from tests import reference
from tests.support.examples import examples
from tests.support.imported import import_stores
from tests.support.stores import DAY, AStore, cases
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@given(case=cases(max_stores=3))
@settings(
    max_examples=examples(120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_the_report_is_the_references(
    workspace: Workspace, method: str, case: tuple[list[AStore], int]
):
    stores, as_of = case
    anchor = f"anchor,active,{reports.as_text(as_of - 900 * DAY)}\n"
    named = import_stores(workspace, stores, anchor)
    text = computation.compute(as_of, method, cache=SnapshotCache()).csv()
    found = {line.split(",")[0]: line.split(",")[1:] for line in text.splitlines()[1:]}
    assert sorted(found) == sorted(["anchor", *(f"s{s}" for s in named)])
    for s in named:
        store = stores[s]
        expected = reference.report_row(store.hours, store.zone, store.polls, as_of, method)
        assert found[f"s{s}"] == expected
