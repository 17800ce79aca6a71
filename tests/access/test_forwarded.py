"""Who sent a request: whose X-Forwarded headers are believed, by API and dashboard alike."""

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restmon.access import accounts, api_keys, audit
from restmon.access.exposure import OF_PROXIES
from restmon.access.forwarded import client_of, host_name, parse_address
from restmon.setting_values import parse_networks
from restmon.settings import Settings
from tests.support.http import http
from tests.support.people import PASSWORD, post_login
from tests.support.workspace import Workspace

TRUSTED = parse_networks("10.0.0.0/8, 192.0.2.7, 2001:db8::/32")
PROXIES = ["10.0.0.1", "10.255.3.2", "192.0.2.7", "2001:db8::5"]
OTHERS = ["203.0.113.9", "192.0.2.8", "127.0.0.1", "::1", "2001:db9::1", "11.0.0.1"]
strangers = st.sampled_from(OTHERS)
noise = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters=","), max_size=40
)
claims = st.lists(noise | strangers | st.sampled_from(PROXIES), max_size=5)


def header(values: dict[str, str]):
    return lambda name: values.get(name, "")


@given(strangers, st.dictionaries(st.sampled_from([*OF_PROXIES, "Host"]), noise))
def test_who_is_no_trusted_proxy_is_believed_nothing(peer: str, values: dict[str, str]):
    found = client_of(peer, "http", header(values), TRUSTED)
    assert (found.address, found.scheme, found.host) == (peer, "http", values.get("Host", ""))
    assert found.direct == (not any(values.get(name) for name in OF_PROXIES))


@given(claims, strangers, st.lists(st.sampled_from(PROXIES), min_size=1, max_size=4))
@example(["127.0.0.1"], "203.0.113.9", ["10.0.0.1"])
@example(["10.0.0.1", "127.0.0.1", "junk"], "203.0.113.9", ["10.0.0.1", "192.0.2.7"])
def test_what_the_sender_made_up_changes_nothing(
    claimed: list[str], sender: str, proxies: list[str]
):
    """The sender writes any beginning of the chain; each proxy adds who connected to it."""
    chain = [*claimed, sender, *proxies[:-1]]
    values = {
        "X-Forwarded-For": ", ".join(chain),
        "X-Forwarded-Proto": ", ".join([*("http" for _ in claimed), *("https" for _ in proxies)]),
        "X-Forwarded-Host": ",".join([*("evil.example" for _ in claimed), "shop", *proxies[:-1]]),
        "Host": "inside:8000",
    }
    found = client_of(proxies[-1], "http", header(values), TRUSTED)
    assert found.address == sender
    assert (found.scheme, found.host) == ("https", "shop")
    assert not found.direct
    assert not found.at_this_machine


@given(
    st.sampled_from(PROXIES + OTHERS) | noise,
    st.dictionaries(
        st.sampled_from([*OF_PROXIES, "Host"]), st.lists(noise, max_size=4).map(",".join)
    ),
)
def test_no_header_raises(peer: str, values: dict[str, str]):
    for trusted in ((), TRUSTED, parse_networks("0.0.0.0/0,::/0")):
        found = client_of(peer, "http", header(values), trusted)
        assert found.scheme in {"http", "https"}
        host_name(found.host)


def test_a_chain_of_trusted_proxies_alone_ends_at_its_first():
    values = {"X-Forwarded-For": "10.0.0.3, 10.0.0.2", "Host": "127.0.0.1"}
    found = client_of("10.0.0.1", "http", header(values), TRUSTED)
    assert found.address == "10.0.0.3"
    assert not found.at_this_machine


@pytest.mark.parametrize("name", ["", *OF_PROXIES])
def test_a_trusted_proxy_on_this_machine_is_never_this_machine(name: str):
    values = {"Host": "127.0.0.1:8000"} | ({name: "127.0.0.1"} if name else {})
    trusted = parse_networks("127.0.0.1")
    assert not client_of("127.0.0.1", "http", header(values), trusted).at_this_machine
    assert client_of("127.0.0.1", "http", header(values), ()).at_this_machine == (not name)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1:8080 ", "192.0.2.1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unknown", None),
        ("_hidden", None),
        ("", None),
        ("1.2.3", None),
    ],
)
def test_how_addresses_are_written(text: str, address: str | None):
    assert parse_address(text) == (None if address is None else ipaddress.ip_address(address))


@pytest.mark.parametrize("text", ["x", "10.0.0.1/8", "10.0.0.0/33", "localhost", "*", "1.1.1.1;"])
def test_a_setting_that_names_no_network_is_refused(workspace: Workspace, text: str):
    done = workspace.command("status", env={"RESTMON_TRUSTED_PROXIES": text})
    assert done.returncode == 2
    assert "RESTMON_TRUSTED_PROXIES" in done.stderr
    assert "neither an address nor a network" in done.stderr
    assert "Traceback" not in done.stderr


def test_by_default_nobody_is_trusted():
    assert Settings().trusted_networks == ()


FORWARDED = {
    "X-Forwarded-For": "127.0.0.1, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
}


@pytest.mark.parametrize("trusted", [False, True])
def test_the_dashboard_goes_by_what_trusted_proxies_say(workspace: Workspace, trusted: bool):
    accounts.add("operator@example.com", "operator", PASSWORD)
    workspace.start_dashboard(env={"RESTMON_TRUSTED_PROXIES": "127.0.0.0/8" if trusted else ""})
    fields = {"email": "operator@example.com", "password": PASSWORD}
    told = post_login(workspace, headers=FORWARDED, **fields)
    assert told.status == 303
    assert ("secure" in told.headers["set-cookie"].lower()) == trusted
    entry = audit.list_recent(1)[0]
    assert (entry.action, entry.address) == (
        audit.LOGGED_IN,
        "203.0.113.9" if trusted else "127.0.0.1",
    )
    own = {**FORWARDED, "Origin": "https://shop.example"}
    assert post_login(workspace, headers=own, **fields).status == (303 if trusted else 403)


@pytest.mark.parametrize("trusted", [False, True])
def test_the_apis_links_go_by_what_trusted_proxies_say(workspace: Workspace, trusted: bool):
    key = api_keys.make("script", "operator")
    workspace.import_now("x,active,2023-01-23 16:14:00 UTC\n")
    workspace.start_api(env={"RESTMON_TRUSTED_PROXIES": "127.0.0.1" if trusted else ""})
    sent = {**FORWARDED, "Authorization": f"Bearer {key}"}
    link = http(f"{workspace.api}/trigger_report", "POST", headers=sent).json["status_url"]
    assert link.startswith("https://shop.example/get" if trusted else f"{workspace.api}/get")


@pytest.mark.parametrize("what", ["key", "revoked key", "account"])
def test_once_there_is_a_key_or_an_account_every_request_needs_a_key(
    workspace: Workspace, what: str
):
    workspace.import_now("x,active,2023-01-23 16:14:00 UTC\n")
    workspace.start_api()
    url = f"{workspace.api}/trigger_report"
    assert http(url, "POST").status == 202
    if what == "account":
        accounts.add("operator@example.com", "operator", PASSWORD)
    else:
        api_keys.make("first", "operator")
        if what == "revoked key":
            api_keys.revoke("first")
    refused = http(url, "POST")
    assert (refused.status, refused.json["error"]["code"]) == (401, "not_logged_in")
    assert "python -m restmon keys make" in refused.json["error"]["hint"]
    assert http(f"{workspace.api}/healthz").status in {200, 503}
    key = api_keys.make("script", "operator")
    assert http(url, "POST", headers={"Authorization": f"Bearer {key}"}).status == 202


def test_a_trusted_proxy_without_headers_is_asked_for_a_key(workspace: Workspace):
    workspace.start_api(env={"RESTMON_TRUSTED_PROXIES": "127.0.0.1"})
    assert http(f"{workspace.api}/trigger_report", "POST").status == 401
    workspace.start_dashboard(env={"RESTMON_TRUSTED_PROXIES": "127.0.0.1"})
    assert http(workspace.dashboard).status == 403
