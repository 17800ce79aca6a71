"""Windows read from the database against the reference, on SQLite and PostgreSQL."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restmon.core.coverage import measure_coverage
from restmon.core.outage_statistics import measure_outages
from restmon.core.uptime import measure_uptime_between
from restmon.reporting import window_lines
from restmon.reporting.snapshot import read_stores
from restmon.reporting.window_lines import Reading, read_lines
from restmon.storage import database
from tests import reference
from tests.support.examples import examples
from tests.support.imported import import_stores
from tests.support.stores import DAY, HOUR, MINUTE, AStore, cases
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases


def check(stores: list[AStore], named: list[int], lo: np.ndarray, hi: np.ndarray, how: Reading):
    """Compare what the lines of the stores say of their windows with the reference."""
    with database.reading():
        pieces = list(read_lines(read_stores(), lo, hi, how))
    assert [piece.first for piece in pieces] == sorted({piece.first for piece in pieces})
    for piece in pieces:
        line = piece.line
        up, down = measure_uptime_between(line, piece.lo, piece.hi)
        covered, opened = measure_coverage(line.clock, piece.polls, piece.lo, piece.hi)
        found = measure_outages(line, how.as_of, piece.lo, piece.hi)
        for n in range(len(piece.stores.ids)):
            store = stores[named[piece.first + n]]
            everything = (store.hours, store.zone, store.polls, how.as_of)
            window = (int(piece.lo[n]), int(piece.hi[n]))
            assert (Fraction(int(up[n]), 2), Fraction(int(down[n]), 2)) == reference.time_between(
                *everything, how.method, *window
            )
            assert (covered[n] / 2, opened[n] / 2) == reference.coverage(
                *everything, *window, 90 * MINUTE
            )
            assert (
                found.outages[n],
                found.begun[n],
                Fraction(int(found.longest[n]), 2),
                Fraction(int(found.total[n]), 2),
            ) == reference.outage_statistics(*everything, how.method, *window)


@pytest.mark.parametrize("method", ["nearest", "previous"])
@given(
    case=cases(max_stores=3),
    length=st.sampled_from([HOUR, DAY, 7 * DAY, 40 * DAY]),
    before=st.sampled_from([0, 1, 20 * HOUR, 3 * DAY, 30 * DAY]),
    runs=st.booleans(),
)
@settings(
    max_examples=examples(36),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_windows_are_the_references(
    workspace: Workspace, method: str, case: tuple, length: int, before: int, runs: bool
):
    stores, as_of = case
    named = import_stores(workspace, stores)
    # A window of its own for each store, as local dates give.
    hi = as_of - before - HOUR * np.arange(len(named))
    check(stores, named, hi - length, hi, Reading(as_of, method, runs))


def test_pieces_and_centuries(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(window_lines, "STORE_DAYS_AT_ONCE", 18)
    as_of = 1674670402_000_000
    long_ago = [1970, 1985, 2000, 2022]
    stores = [
        AStore([], "UTC", polls)
        for s, polls in enumerate(
            [(as_of - (2023 - year) * 365 * DAY + n * HOUR, n % 3 > 0) for n in range(12)]
            + [(as_of - n * HOUR, False) for n in range(s)]
            for s, year in enumerate(long_ago)
        )
    ]
    named = import_stores(workspace, stores)
    hi = np.full(4, as_of)
    check(stores, named, hi - 7 * DAY, hi, Reading(as_of))
    # Keys of all of them at once, if each store counted as a million, would not fit.
    fit = window_lines._fit
    monkeypatch.setattr(
        window_lines, "_fit", lambda n, *edges: fit(n * 2000 if n > 1 else n, *edges)
    )
    monkeypatch.setattr(window_lines, "STORE_DAYS_AT_ONCE", 1000)
    with database.reading():
        assert len(list(read_lines(read_stores(), hi - 7 * DAY, hi, Reading(as_of)))) > 1
    check(stores, named, hi - 7 * DAY, hi, Reading(as_of))


def test_no_stores_have_no_lines(workspace: Workspace):
    nothing = np.empty(0, np.int64)
    with database.reading():
        assert not list(read_lines(read_stores(), nothing, nothing, Reading(0)))
