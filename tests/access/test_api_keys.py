"""Who may use the API: keys, roles, what other sites' pages are refused, and where it listens."""

import json
import re
from collections.abc import Iterator

import pytest

import api_server
from restmon.access import accounts, api_keys
from restmon.access.exposure import OF_PROXIES, is_loopback
from restmon.access.roles import MAY, Role
from restmon.errors import BadRequest
from restmon.ingest import live_feed
from restmon.storage import database
from restmon.storage.access_models import ApiKey
from restmon.storage.models import now
from restmon.stores import groups
from tests.support.http import Answer, http, multipart
from tests.support.workspace import POLLS_HEADER, Workspace, make_workspace, open_workspace

pytestmark = pytest.mark.both_databases

POLLS = POLLS_HEADER + "x,active,2023-01-23 16:14:00 UTC\n"
BODY, FORM = multipart([("polls", "polls.csv", POLLS.encode())])
UNKNOWN = "0" * 32
ROUTES: dict[tuple[str, str], str | None] = {
    ("GET", "/"): None,
    ("GET", "/docs"): None,
    ("GET", "/healthz"): None,
    ("GET", "/openapi.json"): None,
    ("GET", "/data_check"): "viewer",
    ("GET", "/export_data"): "viewer",
    ("GET", "/metrics"): "viewer",
    ("GET", "/stores"): "viewer",
    ("GET", "/stores/<store_id>"): "viewer",
    ("GET", "/stores/<store_id>/uptime"): "viewer",
    ("GET", "/stores/<store_id>/spans"): "viewer",
    ("GET", "/outages"): "viewer",
    ("GET", "/incidents"): "viewer",
    ("GET", "/groups"): "viewer",
    ("GET", "/groups/<group:path>/uptime"): "viewer",
    ("GET", "/status/<slug>"): None,
    ("GET", "/status/<slug>.json"): None,
    ("GET", "/badge/<slug>.svg"): None,
    ("GET", "/schedules"): "viewer",
    ("POST", "/schedules"): "owner",
    ("PUT", "/schedules/<schedule_id>"): "owner",
    ("DELETE", "/schedules/<schedule_id>"): "owner",
    ("POST", "/schedules/<schedule_id>/run"): "owner",
    ("GET", "/schedules/<schedule_id>/runs"): "viewer",
    ("GET", "/status_pages"): "viewer",
    ("PUT", "/status_pages"): "owner",
    ("DELETE", "/status_pages"): "owner",
    ("POST", "/documents"): "owner",
    ("GET", "/documents"): "viewer",
    ("GET", "/documents/<document_id>"): "viewer",
    ("GET", "/documents/<document_id>/file"): "viewer",
    ("POST", "/business_hours"): "feed",
    ("GET", "/channels"): "owner",
    ("POST", "/channels"): "owner",
    ("DELETE", "/channels"): "owner",
    ("PUT", "/channels/<channel_id>"): "owner",
    ("POST", "/channels/<channel_id>/test"): "owner",
    ("GET", "/alerts"): "owner",
    ("POST", "/alerts/<alert_id>/acknowledge"): "owner",
    ("POST", "/messages/<message_id>/send_again"): "owner",
    ("GET", "/messages"): "owner",
    ("POST", "/polls"): "feed",
    ("GET", "/rules"): "owner",
    ("POST", "/rules"): "owner",
    ("DELETE", "/rules"): "owner",
    ("GET", "/stores/<store_id>/notes"): "viewer",
    ("POST", "/stores/<store_id>/notes"): "owner",
    ("DELETE", "/stores/<store_id>/notes"): "owner",
    ("POST", "/timezones"): "feed",
    ("GET", "/targets"): "viewer",
    ("PUT", "/targets"): "owner",
    ("DELETE", "/targets"): "owner",
    ("GET", "/holidays"): "viewer",
    ("PUT", "/holidays"): "owner",
    ("GET", "/audit"): "operator",
    ("DELETE", "/polls"): "operator",
    ("DELETE", "/stores/<store_id>"): "operator",
    ("GET", "/trigger_report"): "owner",
    ("POST", "/trigger_report"): "owner",
    ("POST", "/import_data"): "feed",
    ("GET", "/import_data"): "viewer",
    ("DELETE", "/import_data/<import_id>"): "owner",
    ("GET", "/import_data/<import_id>/rejected.csv"): "viewer",
    ("GET", "/import_data/<import_id>/rejected.zip"): "viewer",
    ("GET", "/get_report"): "viewer",
    ("POST", "/get_report"): "viewer",
    ("GET", "/get_report/<report_id>"): "viewer",
}
"""Every route, and the least role that may use it."""


def made(workspace: Workspace, name: str, *options: str) -> str:
    """A key made by the command line."""
    done = workspace.command("keys", "make", name, *options)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A real API that listens on every address, with an operator's, an owner's and a viewer's key,
    and a worker."""
    made_here = make_workspace(tmp_path_factory.mktemp("exposed"))
    made_here.env["RESTMON_API_HOST"] = "0.0.0.0"
    try:
        made_here.env["OPERATOR"] = made(made_here, "nightly", "--role", "operator")
        made_here.env["VIEWER"] = made(made_here, "looker", "--role", "viewer")
        with open_workspace(made_here):
            groups.create("Mine")
            made_here.env["OWNER"] = api_keys.make("owner", Role.OWNER, None, ["Mine"])
            made_here.env["FEED"] = api_keys.make("feeder", Role.FEED)
        made_here.start_worker()
        made_here.start_api()
        yield made_here
    finally:
        made_here.stop_all()


def ask(workspace: Workspace, method: str, route: str, key: str | None) -> Answer:
    """One request to a route, with the key."""
    path = re.sub("<[^>]+>", UNKNOWN, route)
    if (method, route) == ("DELETE", "/targets"):
        path += "?store_id=nobodys"
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    body = None
    if (method, route) == ("POST", "/import_data"):
        body, headers = BODY, headers | FORM
    return http(workspace.api + path, method, body, headers)


def test_every_route_is_in_the_table():
    found = {
        (route.method, route.rule): route.config.get("needs", Role.OPERATOR)
        for route in api_server.app.routes
    }
    assert found == ROUTES


@pytest.mark.parametrize("who", ["nobody", "feed", "viewer", "owner", "operator", "stranger"])
@pytest.mark.parametrize(("method", "route"), list(ROUTES))
def test_who_may_use_a_route(exposed: Workspace, method: str, route: str, who: str):
    keys = {
        "nobody": None,
        "stranger": "restmon_" + "A" * 43,
        "feed": exposed.env["FEED"],
        "viewer": exposed.env["VIEWER"],
        "owner": exposed.env["OWNER"],
        "operator": exposed.env["OPERATOR"],
    }
    found = ask(exposed, method, route, keys[who])
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["x-frame-options"] == "DENY"
    needs = ROUTES[method, route]
    if needs is not None and who in {"nobody", "stranger"}:
        assert (found.status, found.json["error"]["code"]) == (401, "not_logged_in")
        assert found.headers["www-authenticate"] == "Bearer"
    elif (
        (needs in {"feed", "owner"} and who == "viewer")
        or (needs not in {"feed", None} and who == "feed")
        or (needs == "operator" and who in {"viewer", "owner"})
        or (route, who) == ("/metrics", "owner")
    ):
        assert (found.status, found.json["error"]["code"]) == (403, "forbidden")
    else:
        assert found.status in {200, 202, 400, 404, 409}


def test_a_feed_key_feeds_and_reads_nothing(exposed: Workspace):
    made(exposed, "poller", "--role", "feed")
    key = {"Authorization": f"Bearer {exposed.env['FEED']}"}
    poll = {"store_id": "fed", "timestamp_utc": "2023-01-23T10:00Z", "status": "up"}
    found = http(f"{exposed.api}/polls", "POST", json.dumps(poll).encode(), key)
    assert (found.status, found.json["read"], found.json["rejected"]) == (200, 1, 0)
    for path in (f"/import_data/{found.json['import_id']}", "/trigger_report"):
        method = "DELETE" if path.startswith("/import") else "POST"
        assert http(exposed.api + path, method, None, key).status == 403
    found = http(f"{exposed.api}/import_data?wait=true", "POST", BODY, key | FORM)
    assert (found.status, found.json["status"]) == (200, "Complete")
    # What is missing of the stores is told by data that the key may not read.
    assert found.json["notes"] == []
    owner = {"Authorization": f"Bearer {exposed.env['OPERATOR']}"}
    seen = http(
        f"{exposed.api}/import_data?import_id={found.json['import_id']}", "GET", None, owner
    )
    assert seen.json["notes"]
    # Without a file it would import those of a folder of this machine.
    assert http(f"{exposed.api}/import_data", "POST", None, key).status == 403


def test_a_feed_key_of_a_group_feeds_its_stores_alone(workspace: Workspace):
    workspace.import_now("mine,active,2023-01-23 10:00:00 UTC\n")
    groups.create("Mine")
    groups.add("Mine", ["mine"])
    actor = api_keys.check(api_keys.make("poller", Role.FEED, None, ["Mine"]))
    items = [
        {"store_id": store, "timestamp_utc": "2023-01-23T11:00Z", "status": "up"}
        for store in ("mine", "other")
    ]
    taken = live_feed.take("polls", items, actor)
    assert [one.line for one in taken.rejections] == [1]


def test_no_account_is_a_feed(workspace: Workspace):
    done = workspace.command("accounts", "add", "a@example.com", "--role", "feed")
    assert (done.returncode, "is not one of" in done.stderr) == (2, True)
    with pytest.raises(BadRequest, match="Only a key has the role feed"):
        accounts.add("a@example.com", Role.FEED)


def test_no_role_has_rights_that_a_lower_one_lacks():
    """Rights are inherited, and what a feed may do a viewer may not, nor the other way round."""
    for role, rights in MAY.items():
        assert role in rights
        assert all(MAY[other] <= rights for other in rights)
    assert Role.VIEWER not in MAY[Role.FEED]
    assert Role.FEED not in MAY[Role.VIEWER]


def test_a_key_is_kept_as_its_hash_and_its_use_is_noted(exposed: Workspace):
    key = exposed.env["VIEWER"]
    assert ask(exposed, "GET", "/get_report", key).status == 400
    with open_workspace(exposed), database.session():
        row = ApiKey.get(ApiKey.name == "looker")
        assert key not in json.dumps(row.__data__)
        assert key.startswith(row.start)
        assert row.last_used_at is not None
    listed = exposed.command("keys", "list").stdout
    assert "active   viewer" in listed
    assert "looker" in listed
    assert key not in listed


def test_a_revoked_and_an_expired_key_are_refused_at_once(exposed: Workspace):
    key = made(exposed, "short", "--days", "1")
    assert ask(exposed, "GET", "/get_report", key).status == 400
    assert exposed.command("keys", "revoke", "short").returncode == 0
    found = ask(exposed, "GET", "/get_report", key)
    assert (found.status, found.json["error"]["message"]) == (401, "The API key has been revoked.")
    late = made(exposed, "late", "--days", "1")
    with open_workspace(exposed), database.session():
        ApiKey.update(expires_at=now()).where(ApiKey.name == "late").execute()
    found = ask(exposed, "GET", "/get_report", late)
    assert (found.status, found.json["error"]["message"]) == (401, "The API key has expired.")
    assert "revoked  viewer" in exposed.command("keys", "list").stdout


@pytest.mark.parametrize("given", ["Basic YTpi", "Bearer", "Bearer \xff\xfe", "x"])
def test_what_is_no_key_is_refused_also_at_this_machine(service: Workspace, given: str):
    found = http(f"{service.api}/get_report", headers={"Authorization": given})
    assert found.status == 401
    assert found.json["error"]["hint"]


def test_headers_that_are_not_utf_8_do_no_harm(service: Workspace):
    found = http(f"{service.api}/get_report?report_id={UNKNOWN}", headers={"Accept": "\xff/\xfe"})
    assert (found.status, found.json["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80", "Origin": "http://evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1"},
    ],
)
def test_a_page_of_another_site_is_refused(service: Workspace, headers: dict[str, str]):
    for method, path in (("GET", "/trigger_report"), ("POST", "/import_data")):
        found = http(service.api + path, method, headers=headers)
        assert (found.status, found.json["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("name", OF_PROXIES)
def test_who_comes_through_a_proxy_needs_a_key(service: Workspace, name: str):
    found = http(f"{service.api}/get_report", headers={name: "for=203.0.113.7"})
    assert (found.status, found.json["error"]["code"]) == (401, "not_logged_in")
    assert "proxy" in found.json["error"]["message"]


def test_the_apis_own_page_and_a_key_from_elsewhere_are_not_refused(service: Workspace):
    own = {"Origin": service.api, "Sec-Fetch-Site": "same-origin"}
    assert http(f"{service.api}/trigger_report", headers=own).status == 409
    key = api_keys.make("script", "operator")
    elsewhere = {"Origin": "https://shop.example", "Authorization": f"Bearer {key}"}
    assert http(f"{service.api}/trigger_report", headers=elsewhere).status == 409
    with database.writing():
        ApiKey.delete().execute()


@pytest.mark.parametrize("command", ["api", "run"])
@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_the_api_is_not_opened_to_others_without_a_key(
    workspace: Workspace, command: str, host: str
):
    done = workspace.restmon(command, env={"RESTMON_API_HOST": host})
    assert done.returncode == 2
    assert "there is no API key. Make one (python -m restmon keys make NAME)" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["make", ""], "cannot be a key's name"),
        (["make", "x" * 65], "cannot be a key's name"),
        (["make", "a\nb"], "cannot be a key's name"),
        (["make", "a", "--days", "0"], "A key cannot last 0 days."),
        (["make", "a", "--days", "99999999999"], "A key cannot last 99999999999 days."),
        (["make", "a", "--role", "king"], "'king' is not one of"),
        (["revoke", "nobody"], "There is no key 'nobody'."),
    ],
)
def test_what_is_no_key_is_told(workspace: Workspace, arguments: list[str], said: str):
    done = workspace.command("keys", *arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_name_is_taken_once(workspace: Workspace):
    api_keys.make("nightly")
    done = workspace.command("keys", "make", "nightly")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is already a key 'nightly'." in done.stderr
    assert workspace.command("keys", "list").stdout.count("nightly") == 1


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_what_is_this_machine(host: str, loopback: bool):
    assert is_loopback(host) == loopback
