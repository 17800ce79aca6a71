"""What is kept of one visitor's page is never shown to another who may see less or asked for
something else."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from restmon.reporting import fleet, snapshot
from restmon.reporting.fleet_view import view_fleet
from restmon.reporting.kept_results import KeptResults
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.models import Group
from restmon.stores import groups
from tests.support.pages import page, seen
from tests.support.workspace import Workspace

WHO = ("operator", "owner", "other", "viewer", "group viewer")
ASKED: list[dict[str, str]] = [
    {},
    {"search": "a"},
    {"zone": "America/Chicago"},
    {"times_in": "UTC"},
    {"group": "Mine"},
]
STORES = ("a", "b", "c:1")


def show(as_: Any, who: str, asked: dict[str, str]) -> tuple[str, list[str]]:
    """The text of the Overview for somebody, and its charts."""
    as_(who)
    at = page("overview", **asked)
    return seen(at), [chart.proto.spec for chart in at.get("plotly_chart")]


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_everybody_sees_what_they_would_see_first(
    people: Workspace, as_: Any, monkeypatch: pytest.MonkeyPatch, seed: int
):
    for name in STORES:
        groups.add("Mine" if name == "a" else "Theirs", [name])
    chance = random.Random(seed)
    visits = [(clock, who, asked) for clock in ("12", "24") for who in WHO for asked in ASKED]
    visits = chance.sample(visits, 16)
    # What names the time of the visit changes from one visit to the next.
    monkeypatch.setattr("restmon.dashboard.attention_list.now", lambda: 1_675_000_000_000_000)
    monkeypatch.setattr("restmon.dashboard.notices.now", lambda: 1_675_000_000_000_000)

    def visit(clock: str, who: str, asked: dict[str, str]) -> tuple[str, list[str]]:
        monkeypatch.setenv("RESTMON_CLOCK", clock)
        get_settings.cache_clear()
        return show(as_, who, asked)

    first = []
    for one in visits:
        snapshot.cache.clear()
        first.append(visit(*one))
    snapshot.cache.clear()
    for _ in range(2):
        order = chance.sample(range(len(visits)), len(visits))
        for n in order:
            assert visit(*visits[n]) == first[n], visits[n]
    shown = {who: text for (_, who, asked), (text, _) in zip(visits, first, strict=True)}
    assert len(set(shown.values())) > 1  # they do see different things


def test_each_scope_has_results_of_its_own(people: Workspace):
    with database.session():
        rows = {row.name: row.id for row in Group.select()}
    scopes = [
        None,
        frozenset({rows["Mine"]}),
        frozenset({rows["Theirs"]}),
        frozenset(rows.values()),
    ]

    def read(scope: frozenset[int] | None) -> tuple[list[str], list[int], int]:
        with database.session():
            found = fleet.compute_fleet(groups=scope)
            view = view_fleet(found, np.ones(len(found.ids), bool))
            ids = view.find_or_make("ids", lambda: list(found.ids))
        return ids, view.counts, id(found.kept)

    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            found = list(pool.map(read, scopes * 4))
            for scope, (ids, counts, _) in zip(scopes * 4, found, strict=True):
                assert ids == read(scope)[0]
                assert sum(counts) == len(ids)
            assert found[1][0] == ["a"]
            assert found[2][0] == ["b"]
            assert len({kept for _, _, kept in found}) == len(scopes)


def test_chosen_stores_have_results_of_their_own(people: Workspace):
    with database.session():
        found = fleet.compute_fleet()
    found.kept.find_or_make("name", lambda: "of all")
    some = found.chosen(np.arange(len(found.ids)) == 0)
    assert some.kept.find_or_make("name", lambda: "of one") == "of one"
    assert found.kept.find_or_make("name", lambda: "again") == "of all"


def test_the_last_results_are_kept_and_made_once():
    kept, made = KeptResults(most=2), []

    def make(name: str) -> str:
        return kept.find_or_make(name, lambda: made.append(name) or name)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, ["a"] * 40)) == {"a"}
    assert made == ["a"]
    for name in ("b", "a", "c", "a", "b"):
        make(name)
    assert made == ["a", "b", "c", "b"]
