"""Public status pages and badges: what they show, and that nothing else can be reached there."""

import base64
import hashlib
import json
import re
from contextlib import suppress
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import api_server
from restmon.access import accounts, api_keys, audit
from restmon.access.roles import Actor, Role
from restmon.api import status_routes
from restmon.api.limits import PublicRates
from restmon.core.day_sums import Days
from restmon.core.formatting import US
from restmon.core.instants import HOUR
from restmon.documents import status_html, status_pages
from restmon.documents.public_status import OpenOutage, PublicStatus, StatusCache
from restmon.errors import BadRequest, Forbidden, NotFound, TooManyRequests
from restmon.ingest.store_editing import save_entry
from restmon.reporting import reports
from restmon.reporting.computation import parse_as_of
from restmon.storage.models import now
from restmon.stores import groups
from tests.documents.test_documents import HOSTILE
from tests.support.pages import page, seen, well
from tests.support.people import PASSWORD, actor_of
from tests.support.workspace import Workspace
from tests.support.wsgi import ask, get, refused

TAGS = "html head meta title style body main h1 p small ul li b span h2 div details summary ol i"


def polls_of(store: str, flags: str) -> str:
    """A poll every 2 hours, the last one 20 minutes ago: "u" active, "d" inactive."""
    newest = now() // HOUR * HOUR - HOUR // 3
    return "".join(
        f"{store},{'active' if flag == 'u' else 'inactive'},"
        f"{reports.as_text(newest - 2 * n * HOUR)}\n"
        for n, flag in enumerate(reversed(flags))
    )


@pytest.fixture
def stores(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Three stores of the group Mine, of which one is down; one of the group Theirs."""
    monkeypatch.setattr(status_routes, "cache", StatusCache())
    monkeypatch.setattr(status_routes, "rates", PublicRates(lambda: 0.0))
    workspace.import_now(
        "".join(
            polls_of(store, flags)
            for store, flags in (("s1", "u" * 40), ("s2", "u" * 39 + "d"), ("s3", "u" * 40))
        )
        + polls_of("other", "u" * 39 + "d")
    )
    for name, members in (("Mine", ["s1", "s2", "s3"]), ("Theirs", ["other"])):
        groups.create(name)
        groups.add(name, members)
    save_entry("s2", {"name": "Main <b>Street</b>"})
    save_entry("other", {"name": "Secret Diner"})
    return workspace


@pytest.mark.both_databases
def test_it_is_off_until_it_is_turned_on_and_shows_its_group_alone(stores: Workspace):
    assert get("/status_pages")["status_pages"] == []
    assert ask("/status/mine").status_code == 404
    made = ask("/status_pages", "PUT", group="Mine", slug="mine").json()
    assert made["status_url"] == "http://127.0.0.1/status/mine"
    found = ask("/status/mine")
    assert found.status_code == 200
    text = found.text
    assert "1 of 3 open stores is offline" in text
    assert "Main &lt;b&gt;Street&lt;/b&gt;" in text
    assert "s2" not in re.sub("<style>.*</style>", "", text)
    for other in ("Secret", "Theirs", "other"):
        assert other not in re.sub("<style>.*</style>", "", text)
    state = get("/status/mine.json")
    assert (state["state"], state["stores"], state["statuses"]) == (
        "some down",
        3,
        {"up": 2, "down": 1},
    )
    assert [one["name"] for one in state["outages"]] == ["Main <b>Street</b>"]
    assert "store_id" not in state["outages"][0]
    assert 4 <= len(state["days"]) <= 5
    ask("/status_pages", "PUT", group="Mine", show_ids="true")
    assert get("/status/mine.json")["outages"][0]["store_id"] == "s2"
    assert get("/status_pages")["status_pages"][0]["slug"] == "mine"
    assert ask("/status_pages", "DELETE", group="Mine").json() == {"group": "Mine", "was_on": True}
    assert ask("/status/mine").status_code == 404
    assert "There is no status page" in refused("/badge/mine.svg", 404)


def test_no_key_is_asked_for_and_nothing_else_opens(stores: Workspace):
    slug = status_pages.turn_on("Mine").slug
    assert re.fullmatch("[0-9a-f]{20}", slug)
    accounts.add("operator@example.com", "operator", PASSWORD)
    api_keys.make("nightly", "operator", None, [])
    for path in (f"/status/{slug}", f"/status/{slug}.json", f"/badge/{slug}.svg"):
        found = ask(path)
        assert found.status_code == 200, path
        assert "set-cookie" not in found.headers
        assert found.headers["content-security-policy"].startswith("default-src 'none'")
        assert found.headers["cache-control"] == "public, max-age=30"
        again = ask_with(path, {"If-None-Match": found.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    assert ask("/status_pages").status_code == 401
    assert ask("/stores").status_code == 401
    text = ask(f"/status/{slug}").text
    assert not re.search(r"<(script|link|img|iframe|a|form)\b|\bsrc=|href=|url\(|@import", text)


def ask_with(path: str, headers: dict[str, str]) -> Any:
    transport = httpx.WSGITransport(api_server.serve, remote_addr="127.0.0.1")
    with httpx.Client(transport=transport, base_url="http://127.0.0.1") as client:
        return client.get(path, headers=headers)


def test_the_style_sheet_is_the_one_that_the_policy_names(stores: Workspace):
    slug = status_pages.turn_on("Mine").slug
    found = ask(f"/status/{slug}")
    (css,) = re.findall("<style>(.*)</style>", found.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in found.headers["content-security-policy"]
    assert " style=" not in found.text


def test_an_address_that_asks_too_often_waits(stores: Workspace):
    slug = status_pages.turn_on("Mine").slug
    answers = [ask(f"/status/{slug}.json") for _ in range(61)]
    assert [one.status_code for one in answers] == [200] * 60 + [429]
    assert answers[-1].headers["retry-after"] == "60"
    assert "too many requests" in answers[-1].json()["error"]["message"]


def test_many_addresses_do_not_fill_the_memory():
    rates = PublicRates(lambda: 30.0)
    for n in range(1500):
        with suppress(TooManyRequests):
            rates.take(f"2001:db8::{n:x}", 1)
    assert len(rates._counts) <= 1001
    with pytest.raises(TooManyRequests):
        rates.take("2001:db8::0", 1)


def test_a_status_is_read_once_in_half_a_minute():
    clock, calls = [0.0], []
    status = PublicStatus("g", "UTC", None, {}, [], None)

    def read(shown: status_pages.ShownStatusPage) -> PublicStatus:
        calls.append(shown.slug)
        return status

    cache = StatusCache(read, lambda: clock[0])
    shown = status_pages.ShownStatusPage("g", 1, "abc", False)
    for moment in (0.0, 10.0, 29.9, 30.0, 31.0):
        clock[0] = moment
        assert cache.get(shown) is status
    assert len(calls) == 2
    for n in range(300):
        cache.get(status_pages.ShownStatusPage("g", 1, f"s{n}", False))
    assert len(cache._found) == 200


@given(
    st.sampled_from(HOSTILE) | st.text(max_size=80),
    st.text(max_size=30),
    st.sampled_from(["uptime", "now"]),
)
def test_names_are_text_in_page_badge_and_json(name: str, store: str, show: str):
    as_of = parse_as_of("2023-01-25 18:00:00 UTC")
    days = Days(np.array([19_380]), *(np.array([n]) for n in (10, 8, 2, 10)))
    status = PublicStatus(
        name, "UTC", as_of, {"up": 2, "down": 1}, [OpenOutage(store, name, as_of - HOUR)], days
    )
    text = status_html.write_page(status, as_of, US)
    body = re.sub("<style>.*?</style>", "", text, flags=re.DOTALL)
    assert body.encode()
    tags = set(re.findall(r"<(\w+)", body))
    assert tags <= {*TAGS.split(), "footer"}
    badge = ElementTree.fromstring(status_html.write_badge(status, as_of, show))
    kinds = {one.tag.rpartition("}")[2] for one in badge.iter()}
    assert kinds == {"svg", "title", "clipPath", "rect", "g", "text"}
    json.dumps(status.as_json(show_ids=True))


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"up": 3}, "All 3 open stores are online"),
        ({"up": 1}, "The store is online"),
        ({"up": 2, "down": 1, "closed": 4}, "1 of 3 open stores is offline"),
        ({"down": 2}, "All 2 open stores are offline"),
        ({"closed": 2}, "All closed now"),
        ({"not reporting": 2}, "No current data"),
        ({}, "No current data"),
    ],
)
def test_the_sentence_of_now(counts: dict[str, int], sentence: str):
    as_of = parse_as_of("2023-01-25 18:00:00 UTC")
    status = PublicStatus("g", "UTC", as_of, counts, [], None)
    assert status_html.describe_now(status, as_of)[1] == sentence
    later = status_html.describe_now(status, as_of + 10 * HOUR)[1]
    assert later.startswith("No current data")


@pytest.mark.parametrize(
    "slug", ["ab", "-abc", "abc-", "a_b_c", "a/b/c", "ä" * 5, "x" * 65, "a.json"]
)
def test_an_address_that_cannot_be_is_refused(stores: Workspace, slug: str):
    with pytest.raises(BadRequest, match="cannot be the address"):
        status_pages.turn_on("Mine", slug)
    assert status_pages.list_status_pages() == []


def test_addresses_are_taken_once_and_written_in_small_letters(stores: Workspace):
    assert status_pages.turn_on("Mine", " Burgers ").slug == "burgers"
    with pytest.raises(BadRequest, match="Another status page has the address"):
        status_pages.turn_on("Theirs", "burgers")
    assert status_pages.turn_on("Mine", show_ids=True).slug == "burgers"
    groups.delete("Mine")
    assert ask("/status/burgers").status_code == 404


def test_owners_have_pages_of_their_own_groups(people: Workspace):
    owner = actor_of("owner")
    status_pages.turn_on("Theirs", "theirs")
    assert status_pages.turn_on("Mine", "mine", actor=owner).group == "Mine"
    assert [one.group for one in status_pages.list_status_pages(owner)] == ["Mine"]
    for change in (status_pages.turn_on, status_pages.turn_off):
        with pytest.raises(NotFound):
            change("Theirs", actor=owner)
    with pytest.raises(Forbidden):
        status_pages.turn_on("Mine", actor=Actor("v@example.com", Role.VIEWER))
    entry = audit.list_recent(1)[0]
    assert (entry.actor, entry.action) == ("owner@example.com", "changed a status page")
    assert entry.subject == "Mine: on at mine"


def test_by_the_command_line(stores: Workspace):
    done = stores.command("status-pages", "on", "Mine", "--slug", "mine", "--ids")
    assert done.returncode == 0, done.stderr
    assert f"Mine: {stores.api}/status/mine, with ids" in done.stdout
    assert "/badge/mine.svg" in stores.command("status-pages", "list").stdout
    assert "is off" in stores.command("status-pages", "off", "Mine").stdout
    assert "no status pages" in stores.command("status-pages", "list").stdout
    bad = stores.command("status-pages", "on", "Nobody")
    assert (bad.returncode, "There is no group 'Nobody'." in bad.stderr) == (2, True)


def test_on_the_settings_page(stores: Workspace):
    at = page("settings", part="Groups")
    assert "Public status page" in seen(at)
    at.text_input(key="slug_Mine").set_value("mine")
    (button,) = [one for one in at.button if one.label == "Turn the status page on"]
    at = well(button.click().run())
    assert f"{stores.api}/status/mine\n" in seen(at)
    at = well(at.button(key="off").click().run())
    assert "It is off." in seen(at)
    assert status_pages.list_status_pages() == []
