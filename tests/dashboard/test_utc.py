"""Wherever a page shows a local time, UTC is shown over it, or beside it where that cannot be."""

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from restmon.access import api_keys
from restmon.documents import documents
from restmon.notify import channels, rules, schedules
from restmon.reporting import reports
from restmon.storage import database
from restmon.storage.models import PollReason, Store
from restmon.storage.notify_models import AlertState
from restmon.stores import notes, targets
from tests.support.pages import html_shown, page
from tests.support.workspace import Workspace

LOCAL = re.compile(r"\d{1,2}:\d\d(:\d\d)? [AP]M E[SD]T")
NOON = 1674583200_000_000  # 2023-01-24 18:00 UTC


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Ten stores in New York: six down together, one down now, one silent, one never polled."""
    status = {True: "inactive", False: "active"}
    polls = [
        f"s{n},{status[(n < 6 and day == 24 and 16 <= hour < 19) or (n, day, hour) == (7, 25, 18)]}"
        f",2023-01-{day:02} {hour:02}:00:00 UTC\n"
        for n in range(9)
        for day in range(14, 26)
        for hour in range(24)
        if (day, hour) <= (25, 18) and not (n == 8 and day > 22)
    ]
    zones = "".join(f"s{n},America/New_York\n" for n in range(10))
    workspace.import_now("".join(polls), zones=zones)
    with database.writing():
        for row in Store.select().where(Store.store_id << ["s1", "s2"]):
            PollReason.create(store=row, timestamp=NOON, reason="paused")
    notes.add_note("s3", NOON, "Power outage", "It was dark.")
    targets.set_target(targets.ALL_STORES, 999_000)
    reports.work(reports.request(requested_by="dashboard").id)
    documents.work(documents.request().id)
    schedules.add(schedules.WantedSchedule("Weekly"))
    api_keys.make("till", days=30)
    chat = channels.add_channel("Chat", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ")
    channels.send_test(chat)
    rule = rules.add_rule(rules.Wanted("down"), [chat])
    with database.writing():
        for store, acknowledged_at in ((1, None), (2, NOON)):
            known = {"alert": NOON, "since": NOON}
            AlertState.create(
                rule=rule, store=store, is_open=True, values=known, acknowledged_at=acknowledged_at
            )
    return workspace


class Bare(HTMLParser):
    """Finds the local times in HTML that nothing with UTC is shown over."""

    def __init__(self) -> None:
        super().__init__()
        self.over: list[str] = []
        self.found: list[str] = []
        self.times = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        title = dict(attrs).get("title") or ""
        if LOCAL.search(title) and "UTC" not in title:
            self.found.append(f"over: {title}")
        if tag not in {"br", "i", "img", "path"}:
            self.over.append(title)

    def handle_endtag(self, tag: str) -> None:
        if self.over and tag not in {"br", "i", "img", "path"}:
            self.over.pop()

    def handle_data(self, data: str) -> None:
        if LOCAL.search(data):
            self.times += 1
            if not any("UTC" in title for title in self.over):
                self.found.append(data)


def bare_times(at: AppTest) -> tuple[int, list[str]]:
    """How many local times the page shows, and those without UTC."""
    pairs: list[tuple[str, str]] = [
        *((element.value, str(element.proto.help)) for element in [*at.markdown, *at.caption]),
        *(
            (alert.value, "")
            for kind in (at.error, at.warning, at.info, at.success)
            for alert in kind
        ),
        *((link.label, str(link.proto.help)) for link in at.page_link),
        *((metric.label + metric.value, str(metric.proto.help)) for metric in at.metric),
    ]
    for chart in at.get("plotly_chart"):
        pairs += [(text, "") for text in texts_of(json.loads(chart.proto.spec))]
    shown = [(text, over) for text, over in pairs if LOCAL.search(text)]
    found = [text for text, over in shown if "UTC" not in text + over]
    times = len(shown)
    for body in html_shown(at):
        parser = Bare()
        parser.feed(re.sub("<style>.*?</style>", "", body, flags=re.DOTALL))
        times, found = times + parser.times, found + parser.found
    return times, found


def texts_of(figure: Any) -> list[str]:
    """The texts over the points of a chart."""
    return [
        text
        for trace in figure["data"]
        for text in [*trace.get("customdata", []), *trace.get("text", [])]
        if isinstance(text, str)
    ]


@pytest.mark.parametrize(
    ("name", "query", "least"),
    [
        ("overview", {}, 4),
        ("stores", {}, 1),
        ("store", {"store": "s0"}, 20),
        ("store", {"store": "s3", "range": "30 days"}, 20),
        ("store", {"store": "s7"}, 20),
        ("store", {"store": "s8", "method": "Previous poll"}, 5),
        ("store", {"store": "s9"}, 1),
        ("outages", {}, 10),
        ("alerts", {"part": "Open"}, 3),
        ("alerts", {"part": "Messages"}, 1),
        ("reports", {}, 3),
        ("documents", {}, 2),
        ("documents", {"part": "Schedules"}, 1),
        ("access", {"access_part": "API keys"}, 1),
        ("access", {"access_part": "Audit"}, 3),
        ("data_check", {}, 0),
        ("upload", {}, 1),
        ("help", {}, 0),
    ],
)
def test_utc_is_over_every_local_time(
    stores: Workspace, name: str, query: dict[str, Any], least: int
):
    times, found = bare_times(page(name, **query))
    assert found == []
    assert times >= least
