"""The Outages page: which, since when, why, at what cost; and the ways that lead to it."""

import re
from threading import Event
from typing import Any
from urllib.parse import parse_qsl

import pytest

from restmon.core.instants import HOUR
from restmon.dashboard import background, outage_results
from restmon.dashboard.outage_window import hour_address
from restmon.ingest.store_editing import save_entry
from restmon.reporting import reports
from restmon.reporting.computation import parse_as_of
from restmon.reporting.outage_list import find_outages_in
from restmon.reporting.scopes import find_scope
from restmon.settings import get_settings
from restmon.stores import groups, targets
from tests.support.pages import html_rows, html_shown, page, rows_of, seen, well
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

NEWEST = parse_as_of("2023-01-25 18:00:00 UTC")


def polls_of(store: str, flags: str) -> str:
    """A poll an hour, the last one at 18:00: "u" active, "d" inactive."""
    return "".join(
        f"{store},{'active' if flag == 'u' else 'inactive'},"
        f"{reports.as_text(NEWEST - hour * HOUR)}\n"
        for hour, flag in enumerate(reversed(flags))
    )


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Seven stores, open 24×7, of which six are down together from 8:30 to 10:30 UTC; s0 is down
    before that for an hour, and s6 since 17:30."""
    flags = "u" * 12 + "uuuudduuuuuuuu"
    polls = [polls_of(f"s{n}", flags) for n in range(1, 6)]
    polls += [polls_of("s0", "uuuuuuduuuuu" + flags[11:]), polls_of("s6", "u" * 24 + "d")]
    workspace.import_now("".join(polls), zones="".join(f"s{n},UTC\n" for n in range(7)))
    return workspace


def outages(**query: Any) -> list[tuple[str, str]]:
    """(store, how long) of each row of the page."""
    return [(row["Store"], row["Down for"]) for row in html_rows(page("outages", **query))]


def test_the_page_lists_the_outages_that_the_api_lists(stores: Workspace):
    at = page("outages")
    found = find_outages_in(find_scope())
    shown = html_rows(at)
    assert len(shown) == len(found.outages) == 8
    assert shown[0] == {
        "Store": "s6",
        "Down for": "30 min",
        "Began": "Wed, Jan 25, 2023, 5:30 PM UTC",
        "Ended": "ongoing",
        "Why": "The 6:00 PM poll was inactive.",
        "Lost (estimate)": "–",
        "Incident": "",
        "href": "/store?store=s6",
    }
    assert "**8 outages** of 7 stores, 13 h 30 min down in all" in seen(at)
    (button,) = [b for b in at.download_button if b.label == "Download (CSV)"]
    assert button.proto.url or button.proto.deferred_file_id


def test_filters_of_the_address_choose_outages(stores: Workspace):
    groups.create("One")
    groups.add("One", ["s0", "s6"])
    assert outages(state="Ongoing") == [("s6", "30 min")]
    assert ("s6", "30 min") not in outages(state="Ended")
    assert len(outages(min_minutes="120")) == 6
    assert outages(search="s0") == [("s0", "2 h 00 min"), ("s0", "1 h 00 min")]
    assert {store for store, _ in outages(group="One")} == {"s0", "s6"}
    assert "No outage matches." in seen(page("outages", search="s6", state="Ended"))
    window = hour_address(parse_as_of("2023-01-24 23:00:00 UTC"))
    assert outages(**window) == [("s0", "1 h 00 min")]


def test_the_worst_hours_lead_to_their_outages(stores: Workspace):
    links = [link for link in page().page_link if link.label.endswith("% up")]
    assert links[0].label == "Wed, Jan 25, 2023, 9:00 AM UTC to 10:00 AM: 14.3% up"
    found = outages(**dict(parse_qsl(links[0].proto.query_string)))
    assert found == [(f"s{n}", "2 h 00 min") for n in range(6)]


def test_an_incident_leads_to_its_outages(stores: Workspace):
    at = page()
    (link,) = [link for link in at.page_link if "down, up to" in link.label]
    assert "6 stores down, up to 85.7% of the open stores at once" in link.label
    query = dict(parse_qsl(link.proto.query_string))
    found = outages(**query)
    assert found == [(f"s{n}", "2 h 00 min") for n in range(6)]
    at = page("outages", **query)
    at = well(at.button("any_incident").click().run())
    assert len(html_rows(at)) == 8


def test_times_are_in_one_zone_with_utc_on_hover(stores: Workspace):
    at = page("outages", times_in="UTC")
    assert "5:30 PM UTC" in html_rows(at)[0]["Began"]
    (body,) = [e.proto.body for e in at.get("html") if 'class="rows"' in e.proto.body]
    assert '<span title="Wed, Jan 25, 2023, 5:30 PM UTC">' in body


def costly(at: Any) -> list[tuple[str, ...]]:
    """Store, loss, downtime and outages of each row of the most costly stores."""
    (body,) = [body for body in html_shown(at) if "<caption>The most costly" in body]
    return [tuple(row.values())[:4] for row in rows_of([body])]


def test_what_outages_cost_is_summed_and_the_costly_come_first(stores: Workspace):
    text = seen(page("outages"))
    assert "7 stores were down for 13 h 30 min in the last 7 days, in all." in text
    assert "What that cost is not known." in text
    save_entry("s0", {"sales_per_hour": "50"})
    save_entry("s1", {"sales_per_hour": "1000"})
    at = page("outages")
    text = seen(at)
    assert "An estimated $2,150 was lost in the last 7 days." in text
    assert "5 stores without known sales left out." in text
    assert costly(at) == [
        ("s1", "$2,000", "2 h 00 min", "1"),
        ("s0", "$150", "3 h 00 min", "2"),
    ]
    assert [row["Lost (estimate)"] for row in html_rows(page("outages", search="s0"))] == [
        "$100",
        "$50",
    ]
    at = page("outages", order="Most costly")
    assert [row["Store"] for row in html_rows(at)][:3] == ["s1", "s0", "s0"]
    assert [row["Down for"] for row in html_rows(page("outages", order="Longest"))][-1] == "30 min"


def test_what_last_month_cost_is_one_click_from_the_overview(workspace: Workspace):
    """An outage from 23:30 on December 31 to 1:30 costs December half an hour."""
    workspace.import_now(
        "".join(
            f"{store},{status},{when}:00 UTC\n"
            for store in ("a", "b")
            for when, status in (
                ("2022-12-31 23:00", "active"),
                ("2023-01-01 00:00", "inactive"),
                ("2023-01-01 01:00", "inactive"),
                ("2023-01-01 02:00", "active"),
                ("2023-01-25 18:00", "active"),
            )
        ),
        zones="a,UTC\nb,UTC\n",
    )
    save_entry("a", {"sales_per_hour": "100"})
    save_entry("b", {"sales_per_hour": "60"})
    (link,) = [link for link in page().page_link if link.label == "See what last month cost"]
    assert link.proto.page == "outages"
    at = page("outages", **dict(parse_qsl(link.proto.query_string)))
    assert "An estimated $80 was lost in December." in seen(at)
    assert costly(at) == [("a", "$50", "30 min", "1"), ("b", "$30", "30 min", "1")]
    at = page("outages", last="This month")
    assert "An estimated $240 was lost in January so far." in seen(at)


def test_the_window_stays_on_the_way_to_another_page_and_back(stores: Workspace):
    at = page("outages", last="Last 30 days")
    for name in ("store", "outages"):
        at.switch_page(f"pages/{name}.py")
        at = well(at.run())
    assert at.selectbox("last").value == "Last 30 days"
    at = page("store", store="s0", range="30 days")
    for name in ("overview", "store"):
        at.switch_page(f"pages/{name}.py")
        at = well(at.run())
    at.selectbox("store").select("s0")
    assert well(at.run()).segmented_control("range").value == "30 days"


def test_where_counting_takes_long_the_page_says_so_and_goes_on(
    stores: Workspace, monkeypatch: pytest.MonkeyPatch
):
    """The computation waits for the page, which would wait for it."""
    shown = Event()
    count = outage_results.find_outages_in
    monkeypatch.setattr(background, "_started", {})
    monkeypatch.setattr(outage_results, "AT_ONCE", 0)
    monkeypatch.setattr(background, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(
        outage_results, "find_outages_in", lambda *words: (shown.wait(60), count(*words))[1]
    )
    at = page("outages")
    assert "Counting the outages of 7 stores." in seen(at)
    assert html_rows(at) == []
    shown.set()
    monkeypatch.setattr(background, "PATIENCE_SECONDS", 60)
    assert len(html_rows(well(at.run()))) == 8


def test_text_of_files_is_shown_as_it_is(workspace: Workspace):
    workspace.import_now(polls_of("a", "ud"))
    save_entry("a", {"name": '<b>Bob & "Co"</b>'})
    (row,) = html_rows(page("outages"))
    assert row["Store"] == '<b>Bob & "Co"</b> (a)'


def test_many_outages_are_shown_a_page_at_a_time(workspace: Workspace):
    workspace.import_now(polls_of("a", "ud" * 60))
    at = page("outages")
    assert len(html_rows(at)) == 50
    at = well(at.button("more_outages").click().run())
    assert len(html_rows(at)) == 60


@pytest.mark.parametrize("words", [{"from": "never"}, {"from": "2023-01-26", "to": "2023-01-25"}])
def test_a_window_that_cannot_be_is_told_in_a_sentence(stores: Workspace, words: dict[str, str]):
    (error,) = page("outages", **words).error.values
    assert "Traceback" not in error


def test_a_store_begins_with_its_status_its_target_and_its_loss(stores: Workspace):
    text = seen(page("store", store="s6"))
    assert "At the last poll: ▼ down since Wed, Jan 25, 2023, 5:30 PM UTC; last poll" in text
    assert "No polls since Wed, Jan 25, 2023, 6:00 PM UTC" in text
    assert "The target of" not in text
    assert "loss" not in text
    targets.set_target(targets.ALL_STORES, 995_000)
    save_entry("s6", {"sales_per_hour": "30"})
    text = seen(page("store", store="s6"))
    assert "The target of January, 99.5%, is met so far: 30 min down of the 3 h 43 min that" in text
    assert "Estimated loss: $15 in the last 7 days, $15 in January so far." in text
    assert "The target of January, 99.5%, is at risk: 3 h 00 min" in seen(page("store", store="s0"))


def test_the_help_page_says_what_the_pages_mean(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RESTMON_COVERED_MINUTES", "75")
    monkeypatch.setenv("RESTMON_CLOCK", "24")
    get_settings.cache_clear()
    text = seen(page("help"))
    assert "at most\n  75 minutes away" in text
    assert "open on Monday from 09:00 to 12:00. It was polled at 10:14 (active)" in text
    assert "up until 30 seconds after 10:44" in text


@pytest.mark.parametrize("path", ["", "outages"])
@pytest.mark.parametrize("times_in", [None, "America/Los_Angeles", "America/New_York"])
def test_every_time_of_the_page_is_in_its_zone(
    workspace: Workspace, path: str, times_in: str | None
):
    """The banner, the time of the newest poll and the lists are in the zone that the page says,
    also where as many stores are in one zone as in another."""
    zones = "a,America/New_York\nb,America/Los_Angeles\n"
    workspace.import_now(polls_of("a", "u" * 24 + "d") + polls_of("b", "u" * 24 + "d"), zones=zones)
    at = page(path, **({"times_in": times_in} if times_in else {}))
    (zone,) = [box.value for box in at.selectbox if box.label == "Times in"]
    assert zone == (times_in or zone)
    short = {"America/Los_Angeles": "PST", "America/New_York": "EST"}[zone]
    texts = [*at.caption.values, *at.warning.values, *at.page_link.values]
    said = re.findall(r"[AP]M ([PE]ST)", " ".join(texts))
    assert len(said) >= 2
    assert set(said) == {short}
