"""The stores of `tests/support/stores.py` in a workspace's database."""

from restmon.reporting.reports import as_text
from restmon.storage import database, models
from tests.support.polls import delete_everything
from tests.support.stores import AStore
from tests.support.workspace import Workspace


def wall(time: int) -> str:
    seconds, fraction = divmod(time, 1_000_000)
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}" if fraction else text


def start_anew() -> None:
    """Empty every table."""
    with database.writing():
        delete_everything()
        models.Revision.create(rebuild=True)


def import_stores(workspace: Workspace, stores: list[AStore], more_polls: str = "") -> list[int]:
    """Import the stores, named s0, s1, …, into the emptied database, with further lines of polls.
    Returns the indices of those that a file names."""
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
    row = workspace.import_now("".join(polls) + more_polls, "".join(hours), "".join(zones))
    assert row.counts["rejected"] == 0
    return [s for s, store in enumerate(stores) if store.hours or store.zone or store.polls]
