"""Stores are shown by their name with the id second, and found by both."""

import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from restmon.core.formatting import store_label
from restmon.dashboard import widgets
from restmon.ingest.headers import OPTIONAL
from restmon.ingest.store_editing import save_entry
from restmon.notify import channels
from restmon.reporting import reports, snapshot
from restmon.reporting.computation import parse_as_of
from restmon.storage import database
from restmon.stores import groups
from restmon.stores.names import names_by_id
from tests.support.pages import (
    POLLS,
    ZONES,
    html_rows,
    page,
    seen,
    stores_listed,
    table,
    well,
)
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

NAME = "Rosa’s *Taco* House"
LABEL = f"{NAME} (a)"


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Four stores, of which ``a`` and ``idle`` have names."""
    hours = "".join(f"a,{day},09:00,17:00\n" for day in range(7))
    workspace.import_now(POLLS, hours, ZONES)
    save_entry("a", {"name": NAME})
    save_entry("idle", {"name": "The Idle Spoon"})
    return workspace


def options(at: Any, key: str) -> list[str]:
    return list(at.selectbox(key).options)


def test_the_label_has_the_id_second():
    assert store_label("1001", "Main Street") == "Main Street (1001)"
    assert store_label("1001", None) == store_label("1001", "") == "1001"


def shown_as(urls: Any) -> dict[str, str]:
    """What a table shows of each store's address, by the store."""
    pattern = widgets.store_link_column()["type_config"]["display_text"]
    ids = [parse_qs(urlsplit(url).query)["store"][0] for url in urls]
    return {i: unquote(re.search(pattern, url)[1]) for i, url in zip(ids, urls, strict=True)}  # type: ignore[index]


def test_tables_and_links_show_names_before_ids(stores: Workspace):
    shown = {row["Store"] for row in html_rows(page("stores"))}
    assert shown == {LABEL, "b", "c:1", "The Idle Spoon (idle)"}
    (link,) = [text for text in page().page_link.values if "min down" in text and "Taco" in text]
    assert link.replace("\\", "").startswith(f"**{LABEL}** ")
    found = [t.value["store"] for t in page("data_check").dataframe if "store" in t.value]
    assert "The Idle Spoon (idle)" in {label for urls in found for label in shown_as(urls).values()}


def test_reports_and_their_comparison_show_names(stores: Workspace):
    for as_of in (None, "2023-01-25T17:30:00Z"):
        row = reports.request(as_of=as_of and parse_as_of(as_of), requested_by="dashboard")
        reports.work(row.id)
    at = page("reports")
    for name in ("The report, a row", "Stores of both reports"):
        assert shown_as(table(at, name)["store_id"])["a"] == LABEL


def test_the_name_in_a_tables_link_does_not_stay_in_the_address(stores: Workspace):
    (url,) = widgets.store_urls(["a"], {"a": NAME})
    at = page("store", **{k: v[0] for k, v in parse_qs(urlsplit(url).query).items()})
    assert at.title.values == ["Store Rosa’s \\*Taco\\* House (a)"]
    assert set(at.query_params) == {"store"}


@pytest.mark.parametrize("text", ["taco", "A", "house (a", LABEL])
def test_the_list_of_stores_is_searched_by_name_and_by_id(stores: Workspace, text: str):
    shown = stores_listed(page("stores", search=text))
    assert "a" in shown
    assert "b" not in shown


@pytest.mark.parametrize("address", ["a", LABEL, "Its former name (a)"])
def test_a_store_is_opened_by_its_id_with_or_without_a_name(stores: Workspace, address: str):
    at = page("store", store=address)
    assert at.title.values == ["Store Rosa’s \\*Taco\\* House (a)"]
    assert LABEL in options(at, "store")


def test_the_chooser_finds_a_part_of_a_name(stores: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("restmon.dashboard.widgets.MOST_OFFERED", 2)
    at = page("store", store="IDLE sp")
    assert "1 store has “IDLE sp” in the name or id:" in seen(at).replace("**", "")
    at = well(at.button("found_idle").click().run())
    assert at.title.values == ["Store The Idle Spoon (idle)"]
    assert "no store has it in its name or id" in seen(page("store", store="nowhere"))


@pytest.mark.parametrize(
    ("name", "query", "state"),
    [
        ("store", {}, {}),
        ("trend", {}, {}),
        ("documents", {}, {}),
        ("alerts", {"part": "Rules"}, {"rule_of": "A store"}),
        ("settings", {}, {}),
        ("settings", {"part": "Groups"}, {}),
        ("settings", {"part": "Targets"}, {"target_kind": "A store"}),
        ("settings", {"part": "Delete data"}, {}),
    ],
)
def test_no_page_gives_the_browser_a_list_of_many_stores(
    stores: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    query: dict[str, str],
    state: dict[str, str],
):
    monkeypatch.setattr("restmon.dashboard.widgets.MOST_OFFERED", 2)
    groups.create("Brand")
    channels.add_channel("Chat", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    at = page(name, **query)
    for key, value in state.items():
        at = well(at.radio(key).set_value(value).run())
    boxes = [*at.selectbox, *at.multiselect]
    typed = [box for box in boxes if box.proto.accept_new_options]
    assert typed
    assert not [box.label for box in boxes if {"b", LABEL} & set(box.options)]


def test_a_group_takes_typed_stores(stores: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("restmon.dashboard.widgets.MOST_OFFERED", 1)
    groups.create("Brand")
    at = page("settings", part="Groups")
    adding = next(m for m in at.multiselect if m.label == "Put stores in")
    at = well(adding.set_value(["IDLE sp", LABEL]).run())
    well(at.button("save_group").click().run())
    assert groups.members_of("Brand") == ["a", "idle"]
    for text, why in (("nowhere", "There is no store with"), ("o", "2 stores have “o”")):
        at = page("settings", part="Groups")
        adding = next(m for m in at.multiselect if m.label == "Put stores in")
        at = adding.set_value([text]).run().button("save_group").click().run()
        assert why in at.error[0].value
    assert groups.members_of("Brand") == ["a", "idle"]


def test_forms_show_names(stores: Workspace):
    groups.create("Brand")
    groups.change("Brand", "Brand", ["a"])
    at = page("settings", part="Groups")
    assert table(at, "The stores of the group")["store"].tolist() == [LABEL]
    assert {"b", "The Idle Spoon (idle)"} <= set(at.multiselect[0].options)
    assert at.multiselect[1].options == [LABEL]


def test_without_names_a_table_has_the_ids_alone(workspace: Workspace):
    workspace.import_now(POLLS)
    assert "/store?store=c:1" in {row["href"] for row in html_rows(page("stores"))}
    assert "1 store has “c” in the id:" in seen(page("store", store="c")).replace("**", "")


def test_names_are_read_once_a_revision_and_only_of_ones_own_stores(stores: Workspace):
    with database.reading():
        first = snapshot.cache.get().stores
        assert snapshot.cache.get().stores is first
    assert first.names == names_by_id() == {"a": NAME, "idle": "The Idle Spoon"}
    own = first.chosen([store_id == "a" for store_id in first.ids])  # type: ignore[arg-type]
    assert own.labels == [LABEL]
    assert own.names == {"a": NAME}
    save_entry("a", {"name": "Another"})
    with database.reading():
        assert snapshot.cache.get().stores.names["a"] == "Another"


def test_the_help_page_names_every_column_that_a_file_may_have(workspace: Workspace):
    text = seen(page("help"))
    for kind, columns in OPTIONAL.items():
        assert all(column in text for column in columns), kind
    for word in ("store_id", "timezone", "start_date", "hour, sales", "group", "24h", "closed"):
        assert word in text
