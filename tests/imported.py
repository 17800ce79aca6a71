"""The stores of `tests/stores.py` in a workspace's database."""

from restmon.reports import as_text
from tests.conftest import Workspace
from tests.stores import AStore
from tests.test_pipeline_properties import start_anew, wall


def import_stores(workspace: Workspace, stores: list[AStore]) -> list[int]:
    """Put the stores, named s0, s1, …, into the emptied database; returns the indices of those
    that are named in any file."""
    start_anew()
    polls = [
        f"s{s},{'active' if active else 'inactive'},{as_text(t)}\n"
        for s, store in enumerate(stores)
        for t, active in store.polls
    ]
    hours = [
        f"s{s},{day},{wall(start)},{wall(end)}\n"
        for s, store in enumerate(stores)
        for day, start, end in store.hours
    ]
    zones = [f"s{s},{store.zone}\n" for s, store in enumerate(stores) if store.zone]
    row = workspace.import_now("".join(polls), "".join(hours), "".join(zones))
    assert row.counts["rejected"] == 0
    return [s for s, store in enumerate(stores) if store.hours or store.zone or store.polls]
