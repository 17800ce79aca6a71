"""Whether polls still come in (SEMANTICS.md, "Coverage"): the feed as a whole."""

import itertools
from typing import Any

import numpy as np
import pytest

from restmon.core.instants import DAY, HOUR, MINUTE, as_text
from restmon.ops import summary
from restmon.reporting import feed
from restmon.reporting.computation import parse_as_of
from restmon.storage import database
from tests.support.clock import plant_polls, set_clock
from tests.support.http import http, multipart
from tests.support.workspace import POLLS_HEADER, Workspace

pytestmark = pytest.mark.both_databases

MONDAY = parse_as_of("2023-01-23 00:00:00")
NOON = MONDAY + 18 * HOUR
"""Monday 12:00 in Chicago."""


def state_at(monkeypatch: Any, instant: int) -> str:
    set_clock(monkeypatch, instant)
    with database.reading():
        return feed.read_feed().state


def polled(*instants: int, store: str = "a") -> str:
    return "".join(f"{store},active,{as_text(t)}\n" for t in instants)


def stale_after(monkeypatch: Any, newest: int, allowed: int) -> None:
    """The feed is stale from so long after the newest poll on, not before."""
    assert state_at(monkeypatch, newest) == feed.OK
    assert state_at(monkeypatch, newest + allowed) == feed.OK
    assert state_at(monkeypatch, newest + allowed + 1) == feed.STALE
    assert state_at(monkeypatch, newest + allowed + 900 * DAY) == feed.STALE


def test_without_polls_there_is_no_feed(workspace: Workspace, monkeypatch: Any):
    assert state_at(monkeypatch, NOON) == feed.NONE
    plant_polls("a", NOON + DAY)
    assert state_at(monkeypatch, NOON) == feed.NONE
    assert state_at(monkeypatch, NOON + DAY) == feed.OK


GAPS = [(MINUTE, 3 * HOUR), (HOUR, 3 * HOUR), (61 * MINUTE, 183 * MINUTE), (6 * HOUR, 18 * HOUR)]


@pytest.mark.parametrize(("gap", "allowed"), [*GAPS, (DAY, 3 * DAY)])
@pytest.mark.parametrize("stores", [1, 3])
def test_around_the_clock(
    workspace: Workspace, monkeypatch: Any, gap: int, allowed: int, stores: int
):
    # What is older than a week does not count.
    times = [NOON - n * gap for n in range(8)] + [NOON - (200 + n) * HOUR for n in range(90)]
    workspace.import_now("".join(polled(*times, store=f"s{n}") for n in range(stores)))
    stale_after(monkeypatch, NOON, allowed)


def test_of_two_polls_at_once_by_different_stores_there_is_no_gap(
    workspace: Workspace, monkeypatch: Any
):
    """The gaps are each store's own: two stores half an hour apart, each every 6 hours."""
    times = [NOON - n * 6 * HOUR for n in range(8)]
    shifted = [t - 30 * MINUTE for t in times]
    workspace.import_now(polled(*times) + polled(*shifted, store="b"))
    stale_after(monkeypatch, NOON, 18 * HOUR)


def test_one_poll_alone_is_good_for_three_hours(workspace: Workspace, monkeypatch: Any):
    workspace.import_now(polled(NOON))
    stale_after(monkeypatch, NOON, 3 * HOUR)


HOURLY = [NOON - n * HOUR for n in range(3)] + [NOON - DAY - n * HOUR for n in range(3)]


@pytest.mark.parametrize(
    ("hours", "allowed"),
    [
        # Open to 13:00, and again from 10:00 on the next day: 1 h, then 2 h.
        ("".join(f"a,{day},10:00,13:00\n" for day in range(7)), 24 * HOUR),
        # A second store that is open later in the day adds its time, together counted once.
        ("".join(f"a,{d},10:00,13:00\nb,{d},12:30,14:00\n" for d in range(7)), 23 * HOUR),
        # Open on Mondays only.
        ("a,0,10:00,13:00\n", 7 * DAY),
        # Open on Mondays for half an hour, six times.
        ("a,0,11:30,12:00\n", 42 * DAY),
        # Open too little for three hours before the sixty days are over.
        ("a,0,11:45,12:00\n", 60 * DAY),
    ],
)
def test_closed_hours_do_not_count(
    workspace: Workspace, monkeypatch: Any, hours: str, allowed: int
):
    workspace.import_now(polled(*HOURLY), hours=hours)
    stale_after(monkeypatch, NOON, allowed)


def test_many_stores_of_which_few_are_polled(workspace: Workspace, monkeypatch: Any):
    named = "".join(f"s{n},America/Chicago\n" for n in range(3 * feed.SAMPLE))
    workspace.import_now(zones=named)
    times = [NOON - n * 6 * HOUR for n in range(8)]
    workspace.import_now(polled(*times, store="s1"))
    stale_after(monkeypatch, NOON, 18 * HOUR)


def test_stretches_are_joined_as_minute_by_minute():
    chance = np.random.default_rng(1)
    for _ in range(200):
        start = chance.integers(0, 40, chance.integers(0, 8))
        end = start + chance.integers(1, 12, len(start))
        covered = set(itertools.chain(*(range(s, e) for s, e in zip(start, end, strict=True))))
        found = feed._union(start, end)
        joined = [set(range(s, e)) for s, e in zip(*found, strict=True)]
        assert set().union(*joined) == covered
        assert sum(map(len, joined)) == len(covered)


# Through the front doors


@pytest.mark.slow
def test_healthz_tells_that_polls_no_longer_come_in(service: Workspace):
    assert http(f"{service.api}/healthz").json["feed"] == "none"
    for age, feed_is, status in ((4 * DAY, "stale", "degraded"), (HOUR, "ok", "ok")):
        newest = summary.now() - age
        body, form = multipart([("polls", "polls.csv", (POLLS_HEADER + polled(newest)).encode())])
        sent = http(f"{service.api}/import_data?wait=true", "POST", body, form)
        assert sent.status == 200, sent.text
        answer = http(f"{service.api}/healthz")
        assert answer.status == 200
        assert (answer.json["status"], answer.json["feed"]) == (status, feed_is)
        assert answer.json["future_polls"] == 0
        stale = "restmon_feed_stale 1.0" in http(f"{service.api}/metrics").text
        assert stale == (feed_is == "stale")
        text = service.restmon("status").stdout
        assert (" (stale)" in text) == stale


def test_healthz_counts_polls_from_the_future(service: Workspace):
    plant_polls("a", summary.now() + DAY, summary.now() + 2 * DAY)
    found = http(f"{service.api}/healthz").json
    assert (found["future_polls"], found["feed"], found["newest_poll"]) == (2, "none", None)
