"""The dashboard's pages in every state, through Streamlit's AppTest: what a user sees."""

import gzip
import json
import re
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import numpy as np
import pandas as pd
import pytest
from peewee import PeeweeException
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from restmon.core import formatting
from restmon.core.instants import DAY, HOUR, SECOND
from restmon.dashboard import report_view
from restmon.demo import demo_stores
from restmon.ingest import hours_editing, imports
from restmon.ingest.store_editing import save_entry
from restmon.leasing import leases
from restmon.reporting import computation, report_details, reports
from restmon.reporting.details import compute_details
from restmon.reporting.scopes import find_scope
from restmon.settings import get_settings
from restmon.storage import database, files, models
from restmon.storage.files import Kind
from restmon.stores import groups, targets
from tests.support.environment import ROOT
from tests.support.kept import keys, refuse_to_write
from tests.support.pages import (
    OF_DATA,
    PAGES,
    POLLS,
    TITLES,
    UNKNOWN_ZONE,
    ZONES,
    html_rows,
    outages_shown,
    page,
    seen,
    stores_listed,
    table,
    table_rows,
    well,
)
from tests.support.workers import beating
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, ZONES_HEADER, Workspace

pytestmark = pytest.mark.both_databases


# Open Monday to Sunday 09:00–17:00 in Chicago (UTC-6 in January); 25 January 2023 is a Wednesday.
HOURS = "".join(f"a,{day},09:00,17:00\n" for day in range(7))


def metrics(at: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in at.metric}


def rows(at: AppTest, heads: str) -> list[list[str]]:
    """The rows of the Markdown table that has such a first line."""
    (found,) = [text for text in at.markdown.values if text.startswith(heads)]
    return [row.strip("| ").split(" | ") for row in found.splitlines()[2:]]


def hours_shown(at: AppTest) -> dict[str, str]:
    """The business hours of each weekday, of the store page's table."""
    return dict(rows(at, "| Day | Open"))


def figures(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Four stores: ``a`` with hours and zone, ``b`` with a zone, ``c:1`` with neither, ``idle``
    never polled."""
    workspace.import_now(POLLS, HOURS, ZONES)
    return workspace


@pytest.fixture
def demo(workspace: Workspace) -> Workspace:
    assert demo_stores.load_demo()
    reports.work(reports.request(requested_by="dashboard").id)
    return workspace


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_database_says_what_to_do_next(workspace: Workspace, name: str):
    at = page(name)
    assert TITLES[name] in at.title.values
    text = seen(at)
    if name in OF_DATA:
        assert "Upload three CSV files to begin" in text
        assert "Upload files" in at.page_link.values
    elif name == "upload":
        assert "No imports yet" in text
        assert {".csv", ".gz", ".zip", ".xlsx"} < set(at.file_uploader[0].allowed_type)
    elif name == "alerts":
        assert "Add a channel" in text
    else:
        assert "Upload your files" in at.page_link.values
    assert "Demo data" not in text


def test_pages_holds_the_pages_of_the_menu_alone(workspace: Workspace):
    at = page()
    files = {path.stem for path in (ROOT / "pages").iterdir() if path.suffix == ".py"}
    menu = {Path(info["script_path"]).stem for info in at._registered_pages.values()}
    assert files - {"__init__"} == menu


@pytest.mark.parametrize("name", ["server", "gate", "parts", "__init__", "frame"])
def test_the_name_of_a_module_is_no_page(demo: Workspace, name: str):
    at = page(name)
    assert at.title.values == ["Overview"]


@pytest.mark.without_gate
@pytest.mark.parametrize("name", PAGES)
def test_a_page_that_streamlit_runs_by_itself_shows_nothing(
    demo: Workspace, name: str, monkeypatch: pytest.MonkeyPatch
):
    """``streamlit run app.py``, and the first visitor's address is a page's."""
    monkeypatch.setattr(app_test, "PagesManager", PagesManager)
    at = page(name)
    assert at.title.values == ["restmon"]
    (error,) = at.error.values
    assert "started without its login check" in error
    assert not [*at.dataframe, *html_rows(at)]
    assert not at.metric


@pytest.mark.parametrize("name", PAGES)
def test_the_demo_is_named_as_such_on_every_page(demo: Workspace, name: str):
    at = page(name)
    text = seen(at)
    assert "Demo data." in text
    assert "These stores are made up" in text
    assert "Remove the demo stores" in [b.label for b in at.button]


def test_one_click_removes_every_trace_of_the_demo(demo: Workspace):
    at = page("stores")
    assert len(html_rows(at)) == 40
    at = well(at.button("clear_demo").click().run())
    text = seen(at)
    assert "Demo data" not in text
    assert "Upload three CSV files to begin" in text
    for model in (models.Store, models.Poll, models.Report, models.Import):
        assert model.select().count() == 0
    assert keys(Kind.REPORT) == keys(Kind.REJECTED) == []
    for name in PAGES:
        assert "demo" not in seen(page(name)).lower()


def test_the_first_import_of_ones_own_removes_the_demo_from_a_page_that_is_open(demo: Workspace):
    at = page("stores")
    demo.import_now(POLLS, HOURS, ZONES)
    at = well(at.run())
    assert "Demo data" not in seen(at)
    assert "demo-00001" not in seen(at)
    assert len(html_rows(at)) == 4


@pytest.mark.parametrize("name", ["upload", "reports"])
def test_without_a_worker_the_page_says_how_to_start_one(stores: Workspace, name: str):
    at = page(name)
    (warning,) = at.warning.values
    assert "No worker is running" in warning
    assert "python -m restmon worker" in warning
    with beating("tester"):
        at = well(at.run())
        assert not at.warning
    assert well(at.run()).warning


def test_the_command_of_the_notice_exists(workspace: Workspace):
    from restmon.dashboard.notices import WORKER_COMMAND

    *python, name = WORKER_COMMAND.split()
    assert python == ["python", "-m", "restmon"]
    assert workspace.restmon(name, "--help").returncode == 0


def test_overview_tells_as_of_when_and_how_the_fleet_does(stores: Workspace):
    at = page()
    text = seen(at)
    assert "No polls since Wed, Jan 25, 2023, 12:00 PM CST" in text
    assert "At the last poll, 1 of 4 stores was down, 1 had no polls, the rest were fine." in text
    assert re.search(r"Last checked \d+ years ago\.", text)
    told = metrics(at)
    assert told["Down at the last poll"] == "1"
    # a 60 min up; b down from 17:30; c:1 60 min up: 150 of 180 minutes.
    assert told["Uptime, last hour"] == "83.3%"
    assert "of 3 open stores; 0 not reporting" in text
    assert "coverage 62.5%" in text  # idle is open and was never seen
    titles = [f["layout"]["title"]["text"] for f in figures(at)]
    assert titles == ["Uptime, hour by hour", "When stores are down"]
    assert "Stores by their uptime" in text
    assert "1 store without a poll in open hours, left out of all numbers" in text
    assert "now" not in re.findall(r"[a-z]+", text.split("Demo data.")[0].lower())


@pytest.mark.parametrize(
    ("polled", "change"),
    [
        ("active active inactive", "↓ 50.0 points lower than the hour before"),
        ("inactive active active", "↑ 50.0 points higher than the hour before"),
        ("active active active", "no change from the hour before"),
    ],
)
def test_the_change_against_the_hour_before(workspace: Workspace, polled: str, change: str):
    workspace.import_now(
        "".join(
            f"a,{status},2023-01-25 {hour}:00:00 UTC\n"
            for hour, status in enumerate(polled.split(), 16)
        )
    )
    assert f":small[{change}]" in page().markdown.values


def polled_until_now(minutes: int, *last: str) -> str:
    """Polls of stores s0, s1 … each hour of a day up to some minutes ago, the last ones as said."""
    newest = models.now() - minutes * 60 * SECOND
    return "".join(
        f"s{n},{status if not hour else 'active'},{reports.as_text(newest - hour * HOUR)}\n"
        for n, status in enumerate(last)
        for hour in range(24)
    )


def test_a_fresh_feed_is_told_in_one_sentence(workspace: Workspace):
    workspace.import_now(polled_until_now(12, "active", "inactive", "active"))
    at = page()
    text = seen(at)
    assert "1 of 3 stores is down, the rest are fine. Last checked 12 minutes ago." in text
    assert "No polls since" not in text
    assert metrics(at)["Down now"] == "1"
    assert "Down now" in at.subheader.values
    (link,) = [link for link in at.page_link if link.label.startswith("▼")]
    assert "down for 30 min (since " in link.label
    assert "cause unknown" in link.label
    assert link.label.endswith("last poll 12 minutes ago")
    assert "lost so far" not in link.label
    assert parse_qs(link.proto.query_string) == {"store": ["s1"]}


def test_what_is_down_tells_why_and_what_it_costs(workspace: Workspace):
    newest = models.now() - 60 * SECOND
    workspace.import_now(
        "".join(
            f"a,{'inactive' if hour < 3 else 'active'},{reports.as_text(newest - hour * HOUR)}\n"
            for hour in range(4)
        )
    )
    with database.writing():
        store = models.Store.get(models.Store.store_id == "a")
        models.PollReason.create(
            store=store, timestamp=newest - 2 * HOUR, reason="Tablet *offline*"
        )
    save_entry("a", {"sales_per_hour": "40"})
    (link,) = [link.label for link in page().page_link if link.label.startswith("▼")]
    assert "down for 2 h 30 min" in link
    assert "Tablet \\*offline\\*" in link
    assert "an estimated \\$100 lost so far" in link


def test_a_store_that_has_stopped_reporting_is_told_with_its_last_poll(workspace: Workspace):
    silent = models.now() - 3 * DAY
    workspace.import_now(
        polled_until_now(5, "active")
        + "".join(f"quiet,inactive,{reports.as_text(silent - hour * HOUR)}\n" for hour in range(24))
    )
    at = page()
    assert "1 of 2 stores has stopped reporting, the rest are fine." in seen(at)
    assert "Stopped reporting" in at.subheader.values
    (link,) = [link.label for link in at.page_link if link.label.startswith("⚠")]
    assert "no poll for 3 days, since " in link
    assert metrics(at)["Down now"] == "0"


def test_good_news_has_a_green_tick_only_where_enough_was_seen(workspace: Workspace):
    workspace.import_now("a,active,2023-01-25 18:00:00 UTC\n")
    at = page()
    assert not at.success
    assert "No store was down in the last week, but only 0.9% of the open time" in seen(at)
    workspace.import_now(
        "".join(
            f"a,active,2023-01-{day} {hour:02d}:00:00 UTC\n"
            for day in range(18, 26)
            for hour in range(24)
        )
    )
    at = page()
    assert "No store was down in the last week." in at.success.values
    assert metrics(at)["Uptime, last week"] == "100%"


def test_the_times_of_the_page_are_in_one_zone(stores: Workspace):
    for query, zone, begun in (
        ({}, "America/Chicago", "Wed, Jan 18, 2023, 12:00 PM CST"),
        ({"search": "b"}, "America/New_York", "Wed, Jan 18, 2023, 1:00 PM EST"),
        ({"times_in": "Asia/Kolkata"}, "Asia/Kolkata", "Wed, Jan 18, 2023, 11:30 PM IST"),
        ({"times_in": "UTC"}, "UTC", "Wed, Jan 18, 2023, 6:00 PM UTC"),
    ):
        at = page(**query)
        assert figures(at)[0]["layout"]["xaxis"]["title"]["text"] == f"Hour ({zone})"
        assert f"The week began {begun}." in seen(at)


def store_links(at: AppTest) -> list[str]:
    """The stores that the page links to, in the order of the page."""
    queries = [parse_qs(link.proto.query_string) for link in at.page_link]
    return [query["store"][0] for query in queries if "store" in query]


def test_overview_lists_the_worst_stores_as_links(stores: Workspace):
    at = page()
    assert store_links(at) == ["b", "a", "b"]  # b is down, and of the week a was the worst
    told = [text for text in at.page_link.values if " down · " in text]
    assert [re.search(r"\d+ h \d\d min|\d+ min", text)[0] for text in told] == [
        "2 h 00 min",
        "30 min",
    ]
    assert re.search(r"[\d.]+% up \(coverage [\d.]+%\) · 1 outage · ▼ down$", told[1])


def links_to_stores(at: AppTest) -> dict[str, dict[str, str]]:
    """The filters of each link to the table of stores, by the link's words."""
    return {
        link.label: dict(parse_qsl(link.proto.query_string))
        for link in at.page_link
        if link.proto.page == "stores"
    }


def test_overview_leads_to_the_stores_behind_its_numbers(stores: Workspace):
    links = links_to_stores(page())
    assert links == {
        "See all stores": {},
    }

    groups.create("Coast")
    groups.set_members("Coast", ["b", "idle"])
    chosen = {"search": "b", "zone": "America/New_York", "group": "Coast"}
    links = links_to_stores(page(**chosen))
    assert links == {
        "See all these stores": chosen,
    }
    assert list(links_to_stores(page(search="a"))) == ["See all these stores"]


def test_stores_that_are_polled_only_while_closed_claim_nothing(workspace: Workspace):
    workspace.import_now("a,inactive,2023-01-25 18:00:00 UTC\n", "a,0,09:00,10:00\n")
    at = page()
    assert metrics(at)["Uptime, last week"] == "–"
    assert metrics(at)["Down at the last poll"] == "0"
    at = page("store", store="a")
    assert "never polled while open, so no uptime and no downtime is claimed" in seen(at)
    assert metrics(at)["Uptime"] == "–"


def test_filters_are_read_from_the_address(stores: Workspace):
    groups.create("Coast")
    groups.set_members("Coast", ["b", "idle"])
    for query, ids in (
        ({}, {"a", "b", "c:1", "idle"}),
        ({"search": "C"}, {"c:1"}),
        ({"search": " id "}, {"idle"}),
        ({"zone": "America/Chicago"}, {"a", "c:1"}),
        ({"group": "Coast"}, {"b", "idle"}),
        ({"status": "down"}, {"b"}),
        ({"status": "no data"}, {"idle"}),
        ({"zone": "America/New_York", "group": "Coast"}, {"b"}),
    ):
        at = page("stores", **query)
        assert set(stores_listed(at)) == ids, query
        assert f"**{len(ids)}** store{'s' * (len(ids) > 1)}." in seen(at)
        for row in html_rows(at):  # the filters stay on the way to the store
            assert (
                dict(parse_qsl(urlsplit(row["href"]).query)).items()
                >= {name: value for name, value in query.items() if name != "search"}.items()
            )


def test_the_filters_narrow_the_overview(stores: Workspace):
    assert metrics(page(search="b"))["Uptime, last hour"] == "50.0%"
    assert metrics(page(zone="America/Chicago"))["Down at the last poll"] == "0"


@pytest.mark.parametrize("name", ["overview", "stores"])
def test_filters_that_fit_no_store_say_so(stores: Workspace, name: str):
    at = page(name, search="nobody")
    assert "No store matches these filters. Clear one of them." in at.info.values


def test_a_filter_that_is_not_there_is_ignored(stores: Workspace):
    at = page("stores", zone="Mars/Olympus", group="none", status="never")
    assert len(html_rows(at)) == 4
    assert at.query_params.get("zone") is None


def test_characters_of_a_pattern_are_searched_as_they_stand(stores: Workspace):
    assert "No store matches these filters" in seen(page("stores", search=".*"))
    assert len(html_rows(page("stores", search=":"))) == 1


def test_the_table_of_stores_has_the_numbers_of_the_report(stores: Workspace):
    targets.set_target(targets.ALL_STORES, 990_000)
    save_entry("a", {"sales_per_hour": "100"})
    found = {row["Store"]: row for row in html_rows(page("stores"))}
    details = compute_details(find_scope())
    for n, store_id in enumerate(details.stores.ids):
        measures, row = details.measures, found[store_id]
        up, down = int(measures.up[n]), int(measures.down[n])
        assert row["Uptime"] == formatting.share(up, up + down)
        assert row["Down for"] == formatting.duration(down)
        assert row["Outages"] == str(measures.outages[n])
        covered = int(measures.covered[n]), int(measures.open[n])
        assert row["Coverage"] == formatting.share(*covered)
        assert row["Lost (estimate)"] == formatting.money(float(measures.lost_sales[n]))
        assert row["Target of the month"] == f"99%: {details.standing.status[n]}"
    assert found["a"]["Lost (estimate)"] == "$200"
    assert found["idle"]["Status"] == "– no data"
    assert found["idle"]["Uptime"] == "–"
    assert found["idle"]["Last poll"] == "never"
    assert re.fullmatch(r"\d+ years ago", found["b"]["Last poll"])


@pytest.mark.parametrize(
    ("order", "first"),
    [("Most downtime", "a"), ("Lowest uptime", "a"), ("Id", "a"), ("Oldest last poll", "a")],
)
def test_the_stores_are_sorted(stores: Workspace, order: str, first: str):
    ids = stores_listed(page("stores", sort=order))
    assert ids[0] == first
    assert sorted(ids) == ["a", "b", "c:1", "idle"]


def test_many_stores_are_shown_some_at_a_time(workspace: Workspace):
    workspace.import_now("".join(f"s{n:02},active,2023-01-25 18:00:00 UTC\n" for n in range(60)))
    at = page("stores", sort="Id")
    assert stores_listed(at) == [f"s{n:02}" for n in range(50)]
    at = well(at.button("more_stores").click().run())
    assert stores_listed(at) == [f"s{n:02}" for n in range(60)]
    assert "Show" not in [b.label[:4] for b in at.button]


def test_filters_stay_on_the_way_to_another_page(stores: Workspace):
    at = page("stores", search="b", status="down")
    at.switch_page("pages/outages.py")
    at = well(at.run())
    assert at.text_input("search").value == "b"
    at.switch_page("pages/stores.py")
    at = well(at.run())
    assert (at.text_input("search").value, at.selectbox("status").value) == ("b", "down")
    assert stores_listed(at) == ["b"]
    at.text_input("search").set_value("")
    at = well(at.run())
    at.switch_page("pages/overview.py")
    assert well(at.run()).text_input("search").value == ""


def test_the_stores_that_are_down_tell_since_when(workspace: Workspace):
    workspace.import_now(
        "a,active,2023-01-25 17:00:00 UTC\na,inactive,2023-01-25 18:00:00 UTC\n"
        "b,inactive,2023-01-25 18:00:00 UTC\nc,active,2023-01-25 18:00:00 UTC\n",
        zones="a,America/New_York\n",
    )
    assert {row["Store"]: row["Status"] for row in html_rows(page("stores"))} == {
        "a": "▼ down since Wed, Jan 25, 2023, 12:30 PM EST",
        "b": "▼ down since before Wed, Jan 18, 2023, 12:00 PM CST",
        "c": "▲ up",
    }


def test_the_store_page_shows_a_store(stores: Workspace):
    at = page("store", store="a")
    assert at.title.values == ["Store a"]
    text = seen(at)
    assert "times in **America/Chicago**" in text
    assert "Last poll: **✓ active**, Wed, Jan 25, 2023, 10:00 AM CST" in text
    assert "assumed" not in text
    assert metrics(at)["Outages"] == "1"
    assert outages_shown(at) == [
        {
            "Began": "Tue, Jan 24, 2023, 11:00 AM CST",
            "Ended": "Tue, Jan 24, 2023, 1:00 PM CST",
            "Down for": "2 h 00 min",
            "Why": "The 12:00 PM poll was inactive.",
            "href": "",
        }
    ]
    assert list(hours_shown(at).values()) == ["9:00 AM–5:00 PM"] * 7
    titles = [f["layout"]["title"]["text"] for f in figures(at)]
    assert titles == ["When the store was up and down", "Uptime of each day"]
    assert "Download what is shown (CSV)" in text


def test_the_timeline_explains_each_span(stores: Workspace):
    timeline = figures(page("store", store="a"))[0]
    told = "\n".join(
        text for trace in timeline["data"] for text in trace.get("customdata", ()) if text
    )
    assert "midpoint between polls 10:00 AM and 12:00 PM" in told
    assert "<b>Down</b> for 2 h 00 min" in told
    assert "<b>Inactive poll</b><br>Tue, Jan 24, 2023, 12:00 PM CST" in told
    assert "Tue, Jan 24, 2023, 6:00 PM UTC" in told


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
    assert "No polls yet." in text
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
        ({"range": "1 day"}, "Tue, Jan 24, 2023, 12:00 PM CST – Wed, Jan 25, 2023, 12:00 PM CST"),
        ({}, "Wed, Jan 18, 2023, 12:00 PM CST – Wed, Jan 25, 2023, 12:00 PM CST"),
        ({"range": "30 days"}, "Mon, Dec 26, 2022, 12:00 PM CST – Wed, Jan 25, 2023, 12:00 PM CST"),
        (
            {"range": "Dates", "dates": ["2023-01-23", "2023-01-24"]},
            "Mon, Jan 23, 2023, 12:00 AM CST – Wed, Jan 25, 2023, 12:00 AM CST",
        ),
    ],
)
def test_the_range_is_kept_in_the_address(stores: Workspace, query: dict[str, Any], span: str):
    assert span in seen(page("store", store="a", **query))


def test_the_method_is_kept_in_the_address(stores: Workspace):
    at = page("store", store="a", method="Previous poll")
    (row,) = outages_shown(at)
    assert row["Began"] == "Tue, Jan 24, 2023, 12:00 PM CST"


def test_dates_that_cannot_be_shown_are_told(stores: Workspace):
    query = {"range": "Dates", "dates": ["2022-01-01", "2022-12-31"]}
    assert "Choose at most 92 days." in seen(page("store", store="a", **query))
    at = page("store", store="a", range="Dates")
    at.date_input("dates").set_value((date(2023, 1, 20),))
    assert "Choose the first and the last day." in seen(well(at.run()))


def test_a_store_that_is_down_as_of_now_has_an_outage_that_goes_on(stores: Workspace):
    (row,) = outages_shown(page("store", store="b"))
    assert row["Ended"] == "▼ ongoing"


def test_time_before_the_first_poll_is_told(workspace: Workspace):
    workspace.import_now(
        "a,inactive,2023-01-25 18:00:00 UTC\nb,inactive,2023-01-24 06:00:00 UTC\n",
        zones="a,America/New_York\n",
    )
    text = seen(page("store", store="a", range="1 day"))
    assert "before Wed, Jan 25, 2023, 1:00 PM EST :small[(Wed, Jan 25, 2023, 6:00 PM UTC)]" in text
    assert "The 24 h 00 min of open" in text
    text = seen(page("store", store="b", range="1 day"))
    assert "There is no poll of this store" not in text


def test_many_outages_scroll_in_a_box_of_their_own(workspace: Workspace):
    status = ("active", "inactive")
    workspace.import_now(
        "".join(f"a,{status[n % 2]},2023-01-25 {n:02d}:00:00 UTC\n" for n in range(24))
    )
    at = page("store", store="a")
    starts = [row["Began"] for row in outages_shown(at)]
    assert len(starts) == 12
    assert starts[0].startswith("Wed, Jan 25, 2023, 4:30 PM CST")
    assert starts[-1].startswith("Tue, Jan 24, 2023, 6:30 PM CST")
    (box,) = [b for b in at.get("flex_container") if b.proto.height_config.pixel_height]
    assert "<caption>Outages" in box.children[0].proto.body


def uploaded(*files: tuple[str, str | bytes]) -> AppTest:
    """The upload page with files dropped on it."""
    at = page("upload")
    given = [
        (name, content.encode() if isinstance(content, str) else content, "text/csv")
        for name, content in files
    ]
    at.file_uploader[0].set_value(given)
    return well(at.run())


def import_button(at: AppTest) -> Any:
    (button,) = [b for b in at.button if b.key == "import"]
    return button


def work_on_imports() -> None:
    """What a worker would do now."""
    for row in imports.list_recent():
        imports.work(row.id)


@pytest.mark.usefixtures("tester_alive")
def test_files_are_recognised_and_shown_before_anything_is_written(workspace: Workspace):
    at = uploaded(
        ("one.csv", POLLS_HEADER + POLLS),
        ("two.csv.gz", gzip.compress((HOURS_HEADER + HOURS).encode())),
        ("three_*_.csv", ZONES_HEADER + ZONES),
    )
    text = seen(at)
    assert "**Polls** · one.csv · 7 lines" in text
    assert "**Business hours** · two.csv.gz · 7 lines" in text
    assert "**Time zones** · three_*_.csv · 3 lines" in text
    assert "day → dayOfWeek" in text
    assert import_button(at).label == "Import 3 files"
    assert len(table(at, "The first lines of one.csv")) == 7
    assert models.Import.select().count() == 0
    assert models.Store.select().count() == 0

    at = well(import_button(at).click().run())
    assert "Importing one.csv, two.csv.gz, three_*_.csv: waiting for a worker" in seen(at)
    (asked,) = imports.list_recent()
    assert at.query_params["import"] == asked.id
    assert not at.file_uploader[0].value  # ready for the next files

    work_on_imports()
    at = well(at.run())
    assert "Result: one.csv, two.csv.gz, three_*_.csv" in seen(at)
    assert metrics(at) == {
        "Lines read": "17",
        "New": "17",
        "Updated": "0",
        "Unchanged": "0",
        "Rejected": "0",
        "Removed": "0",
    }
    assert "Every line was accepted." in at.success.values
    assert models.Poll.select().count() == 7


@pytest.mark.usefixtures("tester_alive")
def test_problems_are_marked_before_the_import_and_told_after_it(workspace: Workspace):
    bad = "a,active,2023-01-25 18:00:00 UTC\nb,resting,2023-01-25 18:00:00 UTC\nc,active,soon\n"
    at = uploaded(("polls.csv", POLLS_HEADER + bad))
    assert "2 of 3 lines would be rejected; the others count." in seen(at)
    problems = table(at, "would be rejected")
    assert problems[["line", "column", "value"]].values.tolist() == [
        [3, "status", "resting"],
        [4, "timestamp_utc", "soon"],
    ]
    well(import_button(at).click().run())
    work_on_imports()
    at = page("upload", **{"import": imports.list_recent()[0].id})
    assert metrics(at)["Rejected"] == "2"
    assert metrics(at)["New"] == "1"
    assert "The rejected lines were left out; all others count." in at.warning.values
    assert table(at, "rejected lines")["value"].tolist() == ["resting", "soon"]
    assert "Download all 2 rejected lines" in seen(at)


@pytest.mark.usefixtures("tester_alive")
def test_a_file_whose_lines_are_all_bad_imports_nothing(workspace: Workspace):
    at = uploaded(("polls.csv", POLLS_HEADER + "a,resting,2023-01-25 18:00:00 UTC\n"))
    well(import_button(at).click().run())
    work_on_imports()
    at = page("upload", **{"import": imports.list_recent()[0].id})
    assert imports.EVERY_LINE_REJECTED in at.warning.values


@pytest.mark.usefixtures("tester_alive")
@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("menu.csv", "dish,price\nsoup,4\n", "none of the columns that restmon reads"),
        ("polls.csv", "store_id;status\n", "no column timestamp_utc"),
        ("polls.csv", b"\x89PNG\r\n\x1a\n\0\0\0", "polls.csv"),
        ("polls.csv", "", "polls.csv"),
        ("groups.csv", "store_id,group\na,Coast\n", "import it on the Settings page"),
    ],
)
def test_a_file_that_cannot_be_imported_is_told_at_once(
    stores: Workspace, name: str, content: str | bytes, told: str
):
    before = models.Import.select().count()
    at = uploaded((name, content))
    (error,) = at.error.values
    assert told in re.sub(r"\\", "", error)
    assert "Traceback" not in error
    assert not [b for b in at.button if b.key == "import"]
    assert models.Import.select().count() == before


def test_good_files_are_imported_beside_a_bad_one(workspace: Workspace):
    at = uploaded(("menu.csv", "dish,price\n"), ("polls.csv", POLLS_HEADER + POLLS))
    assert len(at.error) == 1
    assert import_button(at).label == "Import 1 file"


def test_a_failed_import_says_why_and_that_nothing_changed(workspace: Workspace):
    uploaded(("polls.csv", POLLS_HEADER + POLLS)).button("import").click().run()
    (asked,) = imports.list_recent()
    files.delete(Kind.UPLOAD, asked.files[0]["upload"])
    work_on_imports()
    at = page("upload", **{"import": asked.id})
    (error,) = at.error.values
    assert "The import of polls.csv failed and changed nothing." in error
    assert [row["Status"] for row in table_rows(at, "All imports")] == ["✗ Failed"]
    assert models.Store.select().count() == 0


def test_a_spool_folder_that_cannot_be_written_is_told(workspace: Workspace):
    workspace.write("data/spool", "a file, not a folder")
    at = uploaded(("polls.csv", POLLS_HEADER + POLLS))
    at = well(import_button(at).click().run())
    assert "The upload cannot be kept in" in seen(at)
    assert models.Import.select().count() == 0


@pytest.mark.usefixtures("tester_alive")
def test_an_import_under_way_is_found_again_with_its_progress(workspace: Workspace):
    uploaded(("polls.csv", POLLS_HEADER + POLLS)).button("import").click().run()
    (asked,) = imports.list_recent()
    lease = leases.take(models.Import, asked.id)
    assert lease
    lease.progress = 0.42
    lease.heartbeat()
    at = page("upload")
    (bar,) = at.progress
    assert (bar.value, bar.text) == (42, "Importing polls.csv: 42%")
    assert [row["Status"] for row in table_rows(at, "All imports")] == ["◔ Running"]


def test_an_unknown_import_in_the_address_is_told(stores: Workspace):
    at = page("upload", **{"import": "nonsense"})
    assert "There is no import 'nonsense'." in seen(at)
    assert "All imports" in seen(at)


def test_a_choice_among_imports_is_shown_and_stays_when_another_begins(stores: Workspace):
    stores.import_now(polls="z,active,2023-01-25 18:00:00 UTC\n")
    older = imports.list_recent()[1]
    at = page("upload")
    assert not at.metric
    at = opened(at, "All imports", 1)
    assert at.query_params["import"] == older.id
    assert metrics(at)["Lines read"] == "17"
    stores.import_now(polls="z,active,2023-01-25 18:00:00 UTC\n")
    at = well(at.run())
    assert at.query_params["import"] == older.id
    assert metrics(at)["Lines read"] == "17"


def opened(at: AppTest, name: str, row: int) -> AppTest:
    """The same page at the address that a row of its table opens."""
    href = table_rows(at, name)[row]["href"]
    return page(name.split()[1].replace("imports", "upload"), **dict(parse_qsl(href[1:])))


def report_now(**request: Any) -> models.Report:
    row = reports.request(requested_by="dashboard", **request)
    reports.work(row.id)
    return reports.get(row.id)


def test_without_a_report_the_page_says_how_to_make_one(stores: Workspace):
    assert "No reports yet. Press “Make the report”" in seen(page("reports"))


@pytest.mark.usefixtures("tester_alive")
def test_a_report_is_asked_for_waits_and_is_shown(stores: Workspace):
    at = page("reports")
    at = well(submit(at, "Make the report").run())
    (asked,) = reports.list_recent()
    assert at.query_params["report"] == asked.id
    text = seen(at)
    assert "waiting for a worker" in text
    assert "This report is under way. It appears here when it is done." in text
    assert reports.work(asked.id)
    at = well(at.run())
    done = reports.get(asked.id)
    assert not at.progress
    assert "Last hour, day and week, all stores, nearest poll" in at.header.values
    assert "As of Wed, Jan 25, 2023, 12:00 PM CST · 4 stores" in seen(at)
    shown = table(at, "The report, a row for each store")
    pd.testing.assert_frame_equal(
        shown.reset_index(drop=True).drop(columns="store_id"),
        reports.read_table(done).drop(columns="store_id"),
    )
    assert shown["store_id"].tolist() == [
        f"/store?store={i}" for i in reports.read_table(done).store_id
    ]


def submit(at: AppTest, label: str) -> Any:
    (button,) = [b for b in at.button if b.label == label]
    return button.click()


def test_a_report_is_made_as_of_the_instant_and_by_the_method_chosen(stores: Workspace):
    at = page("reports")
    at.datetime_input("as_of").set_value(datetime(2023, 1, 24, 20, 0))
    at.segmented_control("report_method").select("previous")
    well(submit(at, "Make the report").run())
    (asked,) = reports.list_recent()
    assert asked.method == "previous"
    assert reports.as_text(asked.as_of) == "2023-01-24 20:00:00.000000 UTC"
    reports.work(asked.id)
    at = page("reports")
    assert "As of Tue, Jan 24, 2023, 2:00 PM CST" in seen(at)
    assert "previous poll" in seen(at)


def test_a_report_under_way_is_found_again_with_its_progress(stores: Workspace):
    asked = reports.request()
    lease = leases.take(models.Report, asked.id)
    assert lease
    lease.progress = 0.7
    lease.heartbeat()
    at = page("reports")
    (bar,) = at.progress
    assert bar.value == 70
    assert bar.text.endswith(": 70%")
    assert "This report is under way" in seen(at)


def test_a_failed_report_says_why(stores: Workspace):
    said = refuse_to_write(stores, Kind.REPORT)
    with suppress(PeeweeException):  # what is not the folder's goes into the worker's log
        report_now()
    (row,) = reports.list_recent()
    assert row.status == "Failed"
    at = page("reports", report=row.id)
    (error,) = at.error.values
    assert "This report failed. The " in error
    assert said in error.replace("\\", "")  # it is Markdown
    assert [row["Status"] for row in table_rows(at, "All reports")] == ["✗ Failed"]


def test_a_report_whose_file_is_gone_says_so_and_the_page_goes_on(stores: Workspace):
    row = report_now()
    files.delete(Kind.REPORT, reports.csv_key(row.id))
    at = page("reports")
    assert f"is no longer in {files.where(Kind.REPORT)}" in seen(at)
    assert "Compare two reports" in seen(at)


def test_an_unknown_report_in_the_address_is_told(stores: Workspace):
    report_now()
    at = page("reports", report="nonsense")
    assert "There is no report 'nonsense'." in seen(at)
    assert "All reports" in seen(at)


def test_a_choice_among_reports_is_shown_and_gives_way_to_a_new_one(stores: Workspace):
    first, _ = report_now(method="previous"), report_now()
    at = page("reports")
    assert "nearest poll" in seen(at)
    at = opened(at, "All reports", 1)
    assert at.query_params["report"] == first.id
    assert "Last hour, day and week, all stores, previous poll" in at.header.values
    well(submit(at, "Make the report").run())
    asked = reports.list_recent()[0]
    assert at.query_params["report"] == asked.id
    reports.work(asked.id)
    assert "Last hour, day and week, all stores, nearest poll" in well(at.run()).header.values


def test_two_reports_are_compared(stores: Workspace):
    as_of = computation.parse_as_of("2023-01-25 17:00:00 UTC")
    report_now(as_of=as_of)
    assert "Make a second report that fits one of yours." in seen(page("reports"))
    report_now()
    at = page("reports")
    told = metrics(at)
    assert told["Got worse"] == "1"
    assert told["Only in one report"] == "0"
    compared = table(at, "Stores of both reports")
    assert compared["store_id"].iloc[0] == "/store?store=b"
    assert compared["uptime_percent_change"].iloc[0] < 0
    assert "only_in" not in compared


def test_the_older_of_two_reports_is_not_the_one_made_first(stores: Workspace):
    newest = report_now()
    earlier = report_now(as_of=computation.parse_as_of("2023-01-25 17:00:00 UTC"))
    at = page("reports")
    assert (at.selectbox("older").value, at.selectbox("newer").value) == (earlier.id, newest.id)
    assert metrics(at)["Got worse"] == "1"
    assert len(at.selectbox("older").options) == 1


def test_only_reports_that_fit_are_offered_for_comparison(stores: Workspace):
    early = computation.parse_as_of("2023-01-25 17:00:00 UTC")
    report_now(as_of=early, method="previous")
    report_now(part=reports.Part({"last": "2d"}))
    newest = report_now()
    assert "Make a second report that fits one of yours." in seen(page("reports"))
    again = report_now(as_of=early)
    at = page("reports", newer=newest.id)
    assert (at.selectbox("older").value, at.selectbox("newer").value) == (again.id, newest.id)
    assert at.selectbox("newer").options == [
        "Last hour, day and week, all stores, nearest poll, as of Wed, Jan 25, 2023, 12:00 PM CST"
    ]


def test_a_comparison_is_filtered_and_downloaded(stores: Workspace):
    groups.create("North")
    groups.set_members("North", ["a"])
    report_now(as_of=computation.parse_as_of("2023-01-25 17:00:00 UTC"))
    report_now()
    at = page("reports")
    compared = table(at, "Stores of both reports")
    assert compared.set_index("store_id").loc["/store?store=a", "groups"] == "North"
    at.selectbox("compared_group").select("North")
    assert table(well(at.run()), "Stores of both reports")["store_id"].tolist() == [
        "/store?store=a"
    ]
    at.selectbox("compared_change").select("Got worse")
    assert "No store matches. Clear one of the filters." in seen(well(at.run()))


def edited(at: AppTest, **changes: Any) -> AppTest:
    """The settings page with changes made in the table of hours."""
    (editor,) = [t for t in at.data_editor if "Business hours of store" in t.proto.alt]
    nothing: dict[str, Any] = {"edited_rows": {}, "added_rows": [], "deleted_rows": []}
    at.session_state[editor.key] = nothing | changes
    return at


def save(at: AppTest) -> AppTest:
    return well(at.button("save").click().run())


def kept(store_id: str) -> list[list[str]]:
    return hours_editing.read_hours(store_id).hours.values.tolist()


def test_hours_and_zone_are_shown_as_they_are_kept(stores: Workspace):
    at = page("settings", store="a")
    shown = [["9:00 AM", "5:00 PM"]] * 7
    assert at.data_editor[0].value.iloc[:, 1:3].values.tolist() == shown
    assert at.selectbox("zone_of_a").value == "America/Chicago"
    at = page("settings", store="b")
    assert "counts as open 24×7" in seen(at)
    at = page("settings", store="c:1")
    assert at.selectbox("zone_of_c:1").value == UNKNOWN_ZONE


def test_hours_are_changed_added_and_deleted(stores: Workspace):
    at = edited(
        page("settings", store="a"),
        edited_rows={0: {"start_time_local": "08:30"}},
        added_rows=[{"dayOfWeek": "5", "start_time_local": "20:00", "end_time_local": "02:00"}],
        deleted_rows=[6],
    )
    at = save(at)
    assert "Saved." in at.success.values
    rows = kept("a")
    assert ["0", "08:30", "17:00"] in rows
    assert ["5", "20:00", "02:00"] in rows
    assert not [row for row in rows if row[0] == "6"]
    hours = hours_shown(page("store", store="a"))
    assert hours["Saturday"] == "9:00 AM–5:00 PM, 8:00 PM–2:00 AM (next day)"
    assert hours["Sunday"] == "closed"
    at = save(at)
    assert "Nothing was changed, as all is as before." in at.success.values


def test_hours_that_cannot_be_kept_name_the_row_and_change_nothing(stores: Workspace):
    before = kept("a")
    at = edited(
        page("settings", store="a"),
        edited_rows={2: {"end_time_local": "25:61"}, 3: {"start_time_local": "lunch"}},
    )
    at.selectbox("zone_of_a").select("Asia/Tokyo")
    at = save(at)
    assert "These rows cannot be saved; nothing was changed." in at.error.values
    problems = table(at, "rows that cannot be kept")
    assert problems[["line", "column", "value"]].values.tolist() == [
        [3, "Closes", "25:61"],
        [4, "Opens", "lunch"],
    ]
    assert kept("a") == before
    assert hours_editing.read_hours("a").zone == "America/Chicago"


def test_the_zone_of_a_store_is_changed_and_taken_away(stores: Workspace):
    at = page("settings", store="a")
    at.selectbox("zone_of_a").select("Asia/Tokyo")
    assert "Saved." in save(at).success.values
    assert "times in **Asia/Tokyo**" in seen(page("store", store="a"))
    at = page("settings", store="a")
    at.selectbox("zone_of_a").select(UNKNOWN_ZONE)
    assert "Saved." in save(at).success.values
    assert "America/Chicago** (assumed" in seen(page("store", store="a"))


def test_a_change_of_hours_shows_at_once_on_a_page_that_is_open(stores: Workspace):
    at = page("overview", search="b")
    assert metrics(at)["Down at the last poll"] == "1"
    hours_editing.set_hours("b", [("0", "09:00", "10:00")])
    assert metrics(well(at.run()))["Down at the last poll"] == "0"


def groups_page(**query: str) -> AppTest:
    return page("settings", part="Groups", **query)


def listed() -> dict[str, list[str]]:
    return {entry.name: groups.members_of(entry.name) for entry in groups.list_groups()}


def test_groups_are_made_filled_renamed_and_deleted(stores: Workspace):
    at = groups_page()
    assert "No groups yet. Add one, or import a CSV." in at.info.values
    for name in ("Alpha", "Beta *1*"):
        at.text_input("new_name").set_value(name)
        at = well(submit(at, "Add the group").run())
        assert f"The group {name} is there; put stores into it below." in seen(at)
        assert at.selectbox("edit").value == name
        assert "No stores in this group yet." in seen(at)
    (adding,) = [m for m in at.multiselect if m.label == "Put stores in"]
    adding.set_value(["a", "c:1"])
    at = well(at.button("save_group").click().run())
    assert "The group Beta *1* has 2 stores." in seen(at)
    assert listed() == {"Alpha": [], "Beta *1*": ["a", "c:1"]}
    assert table(at, "The stores of the group")["store"].tolist() == ["a", "c:1"]

    (removing,) = [m for m in at.multiselect if m.label == "Take stores out"]
    removing.set_value(["a"])
    (renaming,) = [t for t in at.text_input if t.label == "Name"]
    renaming.set_value("Gamma")
    at = well(at.button("save_group").click().run())
    assert "The group Gamma has 1 store." in seen(at)
    assert listed() == {"Alpha": [], "Gamma": ["c:1"]}
    assert at.selectbox("edit").value == "Gamma"

    at = well(at.button("delete_group").click().run())
    assert "The group Gamma is deleted." in seen(at)
    assert listed() == {"Alpha": []}
    assert models.Store.select().count() == 4


def test_a_name_that_is_taken_changes_nothing_and_the_page_goes_on(stores: Workspace):
    groups.create("Alpha")
    groups.create("Beta")
    at = groups_page(edit="Beta")
    at.text_input("new_name").set_value("ALPHA")
    at = well(submit(at, "Add the group").run())
    assert "There is already a group 'Alpha'." in seen(at)
    assert at.selectbox("edit").value == "Beta"
    (adding,) = [m for m in at.multiselect if m.label == "Put stores in"]
    adding.set_value(["a"])
    (renaming,) = [t for t in at.text_input if t.label == "Name"]
    renaming.set_value("alpha")
    at = well(at.button("save_group").click().run())
    assert "There is already a group 'Alpha'." in seen(at)
    assert listed() == {"Alpha": [], "Beta": []}


def test_groups_are_imported_and_rejected_lines_are_told(stores: Workspace):
    at = groups_page()
    (uploader,) = at.file_uploader
    uploader.set_value(("g.csv", b"store_id,group\na,Coast\nnobody,Coast\nb,Hills\n", "text/csv"))
    at = well(at.run())
    at = well(at.button("import_groups").click().run())
    text = seen(at)
    assert "3 lines read: 2 new, 0 unchanged, 1 rejected." in text
    assert "These lines were left out; all others count." in text
    rejected = table(at, "Rejected lines of the groups file")
    assert rejected.values.tolist() == [
        [3, "store_id", "nobody", "no store of this id is known yet"]
    ]
    assert listed() == {"Coast": ["a"], "Hills": ["b"]}
    assert "Download all groups (CSV)" in text


def test_a_groups_file_that_is_none_changes_nothing(stores: Workspace):
    at = groups_page()
    at.file_uploader[0].set_value(("menu.csv", b"dish,price\nsoup,4\n", "text/csv"))
    at = well(at.run())
    at = well(at.button("import_groups").click().run())
    assert len(at.error) == 1
    assert "menu.csv" in at.error[0].value
    assert listed() == {}


def ten_thousand() -> tuple[str, str, str]:
    """Polls, hours and zones of ten thousand stores: eight polls, two rows of hours each."""
    ids = np.char.add("s-", np.arange(10_000).astype(str))
    times = [f"2023-01-{day} {hour}:00:00 UTC" for day in (24, 25) for hour in (15, 16, 17, 18)]
    polls = [
        f"{store},{'inactive' if n % 7 == t % 7 else 'active'},{time}\n"
        for n, store in enumerate(ids)
        for t, time in enumerate(times)
    ]
    hours = [f"{store},{day},09:00,17:00\n" for store in ids for day in (1, 2)]
    zones = [f"{store},America/{('Chicago', 'Denver')[n % 2]}\n" for n, store in enumerate(ids)]
    return "".join(polls), "".join(hours), "".join(zones)


@pytest.mark.slow
def test_every_page_works_with_ten_thousand_stores(workspace: Workspace):
    workspace.import_now(*ten_thousand())
    report_now()
    groups.create("Half")
    groups.set_members("Half", [f"s-{n}" for n in range(0, 10_000, 2)])
    for name in PAGES:
        assert len(page(name).title) == 1
    at = page("stores")
    assert "**10,000** stores" in seen(at)
    assert len(html_rows(at)) == 50
    assert "**5,000** stores" in seen(page("stores", group="Half"))
    assert "**1,111** stores" in seen(page("stores", search="s-1"))
    assert page("store", store="s-9999").title.values == ["Store s-9999"]
    assert page("store").selectbox(key="store").options == []
    for name in ("store", "settings"):
        at = page(name, store=" S-99 ")
        assert "**111** stores have “ S-99 ” in the id; the first 20 of them:" in seen(at)
        found = [button.label for button in at.button if button.key.startswith("found_")]
        assert found == sorted(f"s-{n}" for n in range(10_000) if str(n).startswith("99"))[:20]
        at.button("found_s-9900").click().run()
        assert at.selectbox("store").value == "s-9900"
        at = page(name, store="s-*")
        assert "There is no store “s-*”" in seen(at)
    at = groups_page(edit="Half")
    assert "Half" in seen(at)
    assert not [m for m in at.multiselect if m.value]


@pytest.mark.parametrize("name", PAGES)
def test_a_file_that_is_no_database_is_told_in_a_sentence(
    workspace: Workspace, name: str, monkeypatch: pytest.MonkeyPatch
):
    path = workspace.write("broken.db", "this is not a database, " * 100)
    monkeypatch.setenv("RESTMON_DATABASE_URL", f"sqlite:///{path}")
    get_settings.cache_clear()
    at = page(name)
    (error,) = at.error.values
    assert f"The file {path} is not an SQLite database." in re.sub(r"\\", "", error)
    assert "Set RESTMON_DATABASE_URL to another file" in re.sub(r"\\", "", error)
    assert not at.title


def test_a_wrong_setting_is_told_in_a_sentence(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RESTMON_DATABASE_URL", "mysql://nowhere")
    get_settings.cache_clear()
    (error,) = page().error.values
    assert "RESTMON" in error
    assert "cannot be used" in error


@pytest.mark.parametrize("name", OF_DATA)
def test_a_database_that_breaks_while_it_is_used_is_told(stores: Workspace, name: str):
    at = page(name, **({"store": "a"} if name in ("store", "settings") else {}))
    with database.session():
        on_sqlite = get_settings().uses_sqlite
        for table in ("poll_block", "packed_hours"):
            models.database.execute_sql(f"DROP TABLE {table} {'' if on_sqlite else 'CASCADE'}")
        models.database.execute_sql("DROP TABLE revision")
    at = well(at.run())
    assert any("cannot be used" in error for error in at.error.values)


def test_another_database_is_opened_when_the_settings_name_one(
    stores: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    assert len(html_rows(page("stores"))) == 4
    monkeypatch.setenv("RESTMON_DATABASE_URL", f"sqlite:///{tmp_path / 'other.db'}")
    get_settings.cache_clear()
    assert "Upload three CSV files to begin" in seen(page("stores"))
    monkeypatch.setenv("RESTMON_DATABASE_URL", stores.env["RESTMON_DATABASE_URL"])
    get_settings.cache_clear()
    assert len(html_rows(page("stores"))) == 4


def test_a_report_has_a_button_for_each_file(stores: Workspace):
    row = report_now()
    buttons = {b.label: b.proto.disabled for b in page("reports").download_button}
    assert buttons == dict.fromkeys(report_view.FILES, False)
    assert report_view.make_file(row.id, "CSV") == reports.read_csv(row)
    table = report_details.read(row)
    assert report_view.make_file(row.id, "Details (CSV)").decode() == table.csv()
    assert json.loads(report_view.make_file(row.id, "Details (JSON)")) == table.records()
    assert report_view.make_file(row.id, "Details (Excel)").startswith(b"PK")


def test_details_that_can_no_longer_be_made_are_not_offered(stores: Workspace):
    report_now()
    stores.import_now("a,inactive,2023-01-25 17:30:00 UTC\n")
    at = page("reports")
    assert [b.label for b in at.download_button if not b.proto.disabled] == ["CSV"]
    assert "The data changed after this report" in seen(at)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("usual", None),
        ("30d", {"last": "30d"}),
        ("24h", {"last": "24h"}),
        ("this week", {"from": "2023-01-23"}),
        ("last week", {"from": "2023-01-16", "to": "2023-01-23"}),
        ("this month", {"month": "2023-01"}),
        ("last month", {"month": "2022-12"}),
        ("dates", {"from": "2023-01-19"}),
    ],
)
def test_a_report_of_another_window_is_asked_for(
    stores: Workspace, window: str, words: dict[str, str] | None
):
    at = page("reports")
    at.selectbox("report_window").select(window)
    well(submit(at.run(), "Make the report").run())
    (asked,) = reports.list_recent()
    assert asked.window == words


def test_a_report_of_two_dates_and_a_group_is_asked_for(stores: Workspace):
    groups.create("North")
    at = page("reports")
    at.selectbox("report_window").select("dates")
    at.selectbox("report_group").select("North")
    at = at.run()
    at.date_input("report_dates").set_value((date(2023, 1, 20), date(2023, 1, 22)))
    well(submit(at.run(), "Make the report").run())
    (asked,) = reports.list_recent()
    assert asked.window == {"from": "2023-01-20", "to": "2023-01-23"}
    assert report_details.describe(asked)["group"] == "North"


def test_one_date_alone_is_no_window(stores: Workspace):
    at = page("reports")
    at.selectbox("report_window").select("dates")
    at = at.run()
    at.date_input("report_dates").set_value((date(2023, 1, 20),))
    at = at.run()
    assert any("The last day is missing." in error for error in at.error.values)
    assert not reports.list_recent()


def test_a_report_of_a_window_is_shown_in_detail(stores: Workspace):
    part = reports.Part({"last": "2d"}, store_id=reports.read_table(report_now()).store_id[0])
    row = reports.request(part=part)
    reports.work(row.id)
    at = page("reports", report=row.id)
    assert f"Last 2 days, {part.store_id}, nearest poll" in at.header.values
    shown = table(at, "The report, a row for each store")
    assert shown["open"].tolist() == [16.0]  # of its business hours on two days
    assert "CSV" not in [b.label for b in at.download_button]
