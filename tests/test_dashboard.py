"""The dashboard's pages in every state, through Streamlit's AppTest: what a user sees."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test
from streamlit.util import calc_hash

from restmon import database, editing, groups, heartbeats, imports, leases, models, reports
from restmon.models import now
from tests.conftest import HOURS_HEADER, POLLS_HEADER, ROOT, ZONES_HEADER, Workspace

PAGES = ("overview", "stores", "store", "upload", "reports", "settings", "help")
OF_DATA = ("overview", "stores", "store", "reports", "settings")
ALL_STORES = "Table of all stores"
TITLES = {
    "overview": "Overview",
    "stores": "Stores",
    "store": "Store",
    "upload": "Upload",
    "reports": "Reports",
    "settings": "Settings",
    "help": "What the numbers mean",
}
# Open Monday to Sunday 09:00–17:00 in Chicago (UTC-6 in January); 25 January 2023 is a Wednesday.
HOURS = "".join(f"a,{day},09:00,17:00\n" for day in range(7))
POLLS = (
    "a,active,2023-01-24 16:00:00 UTC\n"
    "a,inactive,2023-01-24 18:00:00 UTC\n"
    "a,active,2023-01-24 20:00:00 UTC\n"
    "a,active,2023-01-25 16:00:00 UTC\n"
    "b,active,2023-01-25 17:00:00 UTC\n"
    "b,inactive,2023-01-25 18:00:00 UTC\n"
    "c:1,active,2023-01-25 18:00:00 UTC\n"
)
ZONES = "a,America/Chicago\nb,America/New_York\nidle,Asia/Kolkata\n"


class ServedBefore(PagesManager):
    """AppTest runs each time as the first visitor of a process, to whom Streamlit shows the files
    of pages/ by itself (parts.framed mends that, at the cost of a click). Here the process has
    served app.py before."""

    def __init__(self, *args: Any, **options: Any) -> None:
        PagesManager.uses_pages_directory = False
        super().__init__(*args, **options)


@pytest.fixture(autouse=True)
def served_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_test, "PagesManager", ServedBefore)


def page(name: str = "overview", **query: Any) -> AppTest:
    """A new session's first look at a page, by its address."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if name != "overview":
        # AppTest.switch_page knows the pages only after a first run.
        at._page_hash = calc_hash(name)
    at.query_params.update(query)
    return well(at.run())


def well(at: AppTest) -> AppTest:
    """The page, after making sure that nothing was raised."""
    assert not at.exception, [e.value for e in at.exception]
    return at


def seen(at: AppTest) -> str:
    """All that a user can read on the page, as text."""
    parts = [
        *at.title.values,
        *at.subheader.values,
        *at.markdown.values,
        *at.caption.values,
        *at.code.values,
        *(alert.value for kind in (at.error, at.warning, at.info, at.success) for alert in kind),
        *(f"{m.label}: {m.value} {m.delta}" for m in at.metric),
        *(p.text for p in at.progress),
        *(link.value for link in at.page_link),
        *(b.label for b in at.button),
        *(b.label for b in at.download_button),
        *(e.label for e in at.expander),
        *(table.value.to_csv(index=False) for table in at.dataframe),
    ]
    return re.sub(r"\\([^\w\s])", r"\1", "\n".join(map(str, parts)))


def metrics(at: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in at.metric}


def table(at: AppTest, name: str) -> Any:
    """The table that screen readers are told of so."""
    (found,) = [t for t in at.dataframe if name in t.proto.alt]
    return found.value


def figures(at: AppTest) -> list[dict[str, Any]]:
    import json

    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Four stores: ``a`` with hours and zone, ``b`` with a zone, ``c:1`` with neither, ``idle``
    never polled."""
    workspace.import_now(POLLS, HOURS, ZONES)
    return workspace


@pytest.fixture
def demo(workspace: Workspace) -> Workspace:
    assert imports.load_demo()
    reports.work(reports.request(requested_by="dashboard").id)
    return workspace


# Nothing there yet


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_database_says_what_to_do_next(workspace: Workspace, name: str):
    at = page(name)
    assert TITLES[name] in at.title.values
    text = seen(at)
    if name in OF_DATA:
        assert "Upload three CSV files to begin" in text
        assert "Upload files" in at.page_link.values
    elif name == "upload":
        assert "No import yet" in text
        assert at.file_uploader[0].allowed_type == [".csv", ".gz"]
    else:
        assert "Upload your files" in at.page_link.values
    assert "Demo data" not in text


@pytest.mark.parametrize("name", PAGES)
def test_the_first_visitor_of_a_process_sees_the_page_in_its_frame(
    demo: Workspace, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app_test, "PagesManager", PagesManager)
    monkeypatch.setattr(PagesManager, "uses_pages_directory", None)
    at = page(name)
    assert len(at.title) == 1
    assert "Demo data." in seen(at)


# Demo data


@pytest.mark.parametrize("name", PAGES)
def test_the_demo_is_named_as_such_on_every_page(demo: Workspace, name: str):
    at = page(name)
    text = seen(at)
    assert "Demo data." in text
    assert "These stores are made up" in text
    assert "Remove the demo stores" in [b.label for b in at.button]


def test_one_click_removes_every_trace_of_the_demo(demo: Workspace):
    at = page("stores")
    assert len(table(at, ALL_STORES)) == 40
    at = well(at.button("clear_demo").click().run())
    text = seen(at)
    assert "Demo data" not in text
    assert "Upload three CSV files to begin" in text
    for model in (models.Store, models.Poll, models.Report, models.Import):
        assert model.select().count() == 0
    assert not list((demo.path / "data" / "reports").glob("*.csv"))
    for name in PAGES:
        assert "demo" not in seen(page(name)).lower()


def test_the_first_import_of_ones_own_removes_the_demo_from_a_page_that_is_open(demo: Workspace):
    at = page("stores")
    demo.import_now(POLLS, HOURS, ZONES)
    at = well(at.run())
    assert "Demo data" not in seen(at)
    assert "demo-00001" not in seen(at)
    assert len(table(at, ALL_STORES)) == 4


# The worker


@pytest.mark.parametrize("name", ["upload", "reports"])
def test_without_a_worker_the_page_says_how_to_start_one(stores: Workspace, name: str):
    at = page(name)
    (warning,) = at.warning.values
    assert "No worker is running" in warning
    assert "python -m restmon worker" in warning
    heartbeats.beat("tester", now())
    at = well(at.run())
    assert not at.warning
    heartbeats.gone("tester")
    assert well(at.run()).warning


def test_the_command_of_the_notice_exists(workspace: Workspace):
    from pages.parts import WORKER_COMMAND

    *python, name = WORKER_COMMAND.split()
    assert python == ["python", "-m", "restmon"]
    assert workspace.restmon(name, "--help").returncode == 0


# Overview


def test_overview_tells_as_of_when_and_how_the_fleet_does(stores: Workspace):
    at = page()
    text = seen(at)
    assert "As of **Wed 25 Jan 2023 18:00 UTC**" in text
    assert "years ago" in text
    told = metrics(at)
    assert told["Down right now"] == "1"
    # a 60 min up; b down from 17:30; c:1 60 min up: 150 of 180 minutes.
    assert told["Uptime, last hour"] == "83.3 %"
    assert re.search(r"Down right now: 1 of 3 open stores", text)
    titles = [f["layout"]["title"]["text"] for f in figures(at)]
    assert titles == ["Uptime, hour by hour", "When stores are down", "Stores by their uptime"]
    assert "1 store was never polled while open and counts nowhere here" in text


def test_overview_lists_the_worst_stores_as_links(stores: Workspace):
    worst = table(page(), "most downtime in the last week")
    assert worst["store"].tolist() == ["/store?store=a", "/store?store=b"] or worst[
        "store"
    ].tolist() == ["/store?store=b", "/store?store=a"]
    assert (np.diff(worst["downtime"]) <= 0).all()
    assert "▼ down" in worst["now"].tolist()


def test_a_fleet_that_was_never_down_says_so(workspace: Workspace):
    workspace.import_now("a,active,2023-01-25 18:00:00 UTC\n")
    at = page()
    assert "No store was down in the last week." in at.success.values
    assert metrics(at)["Uptime, last week"] == "100 %"


def test_stores_that_are_polled_only_while_closed_claim_nothing(workspace: Workspace):
    workspace.import_now("a,inactive,2023-01-25 18:00:00 UTC\n", "a,0,09:00,10:00\n")
    at = page()
    assert metrics(at)["Uptime, last week"] == "–"
    assert metrics(at)["Down right now"] == "0"
    at = page("store", store="a")
    assert "never polled while open, so no uptime and no downtime is claimed" in seen(at)
    assert metrics(at)["Uptime"] == "–"


# Filters in the address


def test_filters_are_read_from_the_address(stores: Workspace):
    groups.create("Coast")
    groups.set_members("Coast", ["b", "idle"])
    for query, ids in (
        ({}, {"a", "b", "c:1", "idle"}),
        ({"search": "C"}, {"c:1"}),
        ({"search": " id "}, {"idle"}),
        ({"zone": "America/Chicago"}, {"a", "c:1"}),
        ({"group": "Coast"}, {"b", "idle"}),
        ({"now": "Down now"}, {"b"}),
        ({"now": "Open now"}, {"a", "b", "c:1", "idle"}),
        ({"zone": "America/New_York", "group": "Coast"}, {"b"}),
    ):
        at = page("stores", **query)
        found = {link.removeprefix("/store?store=") for link in table(at, ALL_STORES)["store"]}
        assert found == ids, query
        assert f"**{len(ids)}** store" in seen(at)


def test_the_filters_narrow_the_overview(stores: Workspace):
    assert metrics(page(search="b"))["Uptime, last hour"] == "50.0 %"
    assert metrics(page(zone="America/Chicago"))["Down right now"] == "0"


@pytest.mark.parametrize("name", ["overview", "stores"])
def test_filters_that_fit_no_store_say_so(stores: Workspace, name: str):
    at = page(name, search="nobody")
    assert "No store fits these filters. Clear one of them." in at.info.values


def test_a_filter_that_is_not_there_is_ignored(stores: Workspace):
    at = page("stores", zone="Mars/Olympus", group="none", now="never")
    assert len(table(at, ALL_STORES)) == 4
    assert at.query_params.get("zone") is None


def test_characters_of_a_pattern_are_searched_as_they_stand(stores: Workspace):
    assert "No store fits these filters" in seen(page("stores", search=".*"))
    assert len(table(page("stores", search=":"), ALL_STORES)) == 1


# Stores


def test_the_table_of_stores_has_the_numbers_of_the_report(stores: Workspace):
    data = reports.compute()
    found = table(page("stores"), ALL_STORES)
    ids = found["store"].str.removeprefix("/store?store=")
    place = [data.stores.ids.index(store_id) for store_id in ids]
    hour = 2 * 3.6e9
    np.testing.assert_allclose(found["uptime"], data.up[place, 2] / hour)
    np.testing.assert_allclose(found["downtime"], data.down[place, 2] / hour)
    np.testing.assert_allclose(found["downtime_day"], data.down[place, 1] / hour)
    through = np.stack(found["week"])
    assert through.shape == (4, 28)
    np.testing.assert_allclose(through.sum(1), found["downtime"], atol=1e-4)
    idle = found[ids == "idle"].iloc[0]
    assert idle["now"] == "– never observed"
    assert np.isnan(idle["uptime_share"])
    assert pd.isna(idle["last_poll"])
    assert idle["zone"] == "Asia/Kolkata"


# One store


def test_the_store_page_shows_a_store(stores: Workspace):
    at = page("store", store="a")
    assert at.title.values == ["Store a"]
    text = seen(at)
    assert "times in **America/Chicago**" in text
    assert "Last poll: **✓ active**, Wed 25 Jan 2023 10:00:00 CST" in text
    assert "assumed" not in text
    assert metrics(at)["Outages"] == "1"
    outages = table(at, "outages of this store")
    assert outages["start"].tolist() == ["Tue 24 Jan 2023 11:00 CST"]
    assert outages["end"].tolist() == ["Tue 24 Jan 2023 13:00 CST"]
    assert outages["open_minutes"].tolist() == [120.0]
    hours = table(at, "Business hours")
    assert hours["open"].tolist() == ["09:00–17:00"] * 7
    titles = [f["layout"]["title"]["text"] for f in figures(at)]
    assert titles == ["When the store was up and down", "Uptime of each day"]
    assert "Download what is shown (CSV)" in text


def test_the_timeline_explains_each_span(stores: Workspace):
    timeline = figures(page("store", store="a"))[0]
    told = "\n".join(
        text for trace in timeline["data"] for text in trace.get("customdata", ()) if text
    )
    assert "midpoint between polls 10:00 and 12:00" in told
    assert "<b>Down</b> for 2 h 00 min" in told
    assert "<b>Inactive poll</b><br>Tue 24 Jan 2023 12:00:00 CST" in told
    assert "Tue 24 Jan 2023 18:00:00 UTC" in told


def test_missing_hours_and_zone_are_told_as_assumptions(stores: Workspace):
    text = seen(page("store", store="c:1"))
    assert "Time zone: **America/Chicago** (assumed: none was imported for this store)" in text
    assert "Open **24×7** (assumed: no business hours were imported for this store)" in text
    text = seen(page("store", store="b"))
    assert "Time zone: **America/New_York**\n" in text
    assert "Open **24×7** (assumed" in text


def test_a_store_without_polls_claims_nothing(stores: Workspace):
    at = page("store", store="idle")
    text = seen(at)
    assert "This store was never polled." in text
    assert "no uptime and no downtime is claimed" in text
    assert metrics(at)["Uptime"] == "–"
    assert "No outage in this range." not in text


def test_an_unknown_store_in_the_address_is_told(stores: Workspace):
    at = page("store", store="nobody*")
    assert "There is no store “nobody*”" in seen(at)
    assert "See all stores" in at.page_link.values
    assert at.title.values == ["Store"]
    at = page("settings", store="nobody*")
    assert "Choose a store to see and change" in seen(at)


@pytest.mark.parametrize(
    ("query", "span"),
    [
        ({"range": "1 day"}, "Tue 24 Jan 2023 12:00 CST – Wed 25 Jan 2023 12:00 CST"),
        ({}, "Wed 18 Jan 2023 12:00 CST – Wed 25 Jan 2023 12:00 CST"),
        ({"range": "30 days"}, "Mon 26 Dec 2022 12:00 CST – Wed 25 Jan 2023 12:00 CST"),
        (
            {"range": "Dates", "dates": ["2023-01-23", "2023-01-24"]},
            "Mon 23 Jan 2023 00:00 CST – Wed 25 Jan 2023 00:00 CST",
        ),
    ],
)
def test_the_range_is_kept_in_the_address(stores: Workspace, query: dict[str, Any], span: str):
    assert span in seen(page("store", store="a", **query))


def test_the_method_is_kept_in_the_address(stores: Workspace):
    at = page("store", store="a", method="Previous poll")
    assert table(at, "outages of this store")["start"].tolist() == ["Tue 24 Jan 2023 12:00 CST"]


def test_dates_that_cannot_be_shown_are_told(stores: Workspace):
    query = {"range": "Dates", "dates": ["2022-01-01", "2022-12-31"]}
    assert "Choose at most 92 days." in seen(page("store", store="a", **query))
    at = page("store", store="a", range="Dates")
    at.date_input("dates").set_value((date(2023, 1, 20),))
    assert "Choose the first and the last day." in seen(well(at.run()))


def test_a_store_that_is_down_as_of_now_has_an_outage_that_goes_on(stores: Workspace):
    assert table(page("store", store="b"), "outages of this store")["end"].tolist() == ["▼ ongoing"]
