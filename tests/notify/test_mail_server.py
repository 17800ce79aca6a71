"""Channels that are plain mail addresses, and the operator's mail server that sends to them."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from restmon.errors import BadRequest
from restmon.notify import channels, delivery, mail_server
from restmon.settings import get_settings
from restmon.storage import database
from restmon.storage.notify_models import Channel, OutboxMessage
from tests.support.receivers import Inbox
from tests.support.receivers import mail_server as receiving
from tests.support.workspace import Workspace


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A server in this machine's own network, which owners may not use."""
    with receiving() as found:
        server = f"mailto://127.0.0.1:{found.port}?from=restmon@example.com"
        monkeypatch.setenv("RESTMON_MAIL_SERVER", server)
        monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_WEBHOOKS", "no")
        get_settings.cache_clear()
        yield found
    get_settings.cache_clear()


def test_mail_to_a_plain_address(workspace: Workspace, inbox: Inbox):
    number = channels.add_channel("Boss", "boss@example.com, night+1@example.com")
    (shown,) = channels.list_channels()
    assert shown.address == "mail"
    message = channels.send_test(number)
    assert delivery.deliver(message)
    ((to, mail),) = inbox.mails
    assert to == ["boss@example.com", "night+1@example.com"]
    assert mail["From"] == "restmon <restmon@example.com>"


def test_the_server_is_trusted_for_plain_addresses_alone(workspace: Workspace, inbox: Inbox):
    with pytest.raises(BadRequest, match="private network"):
        channels.add_channel("Boss", inbox.url)


def test_a_server_that_was_removed_is_told(
    workspace: Workspace, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
):
    number = channels.add_channel("Boss", "boss@example.com")
    monkeypatch.delenv("RESTMON_MAIL_SERVER")
    get_settings.cache_clear()
    message = channels.send_test(number)
    assert not delivery.deliver(message)
    with database.session():
        assert "no mail server" in OutboxMessage.get_by_id(message).error
    with pytest.raises(BadRequest, match="no mail server"):
        channels.add_channel("Other", "other@example.com")


@pytest.mark.parametrize(
    "address",
    [
        "@example.com",
        "a@",
        "a@example.com,",
        "a b@example.com",
        "Boss <a@example.com>",
        "a@b@c.de",
        "a@example.com\r\nBcc: b@example.com",
        "a@example.com;b@example.com",
        "a@.example.com",
    ],
)
def test_a_bad_mail_address_is_refused(workspace: Workspace, inbox: Inbox, address: str):
    with pytest.raises(BadRequest, match="is not valid"):
        channels.add_channel("Boss", address)
    with database.session():
        assert Channel.select().count() == 0


@example("a@example.com&from=evil@example.com")
@example("a@example.com?smtp=evil.example.com")
@example("a%40x@example.com")
@given(st.text("ab@.,%&=?#+/ \n", max_size=24).map(lambda text: f"x{text}@example.com"))
def test_no_address_changes_the_server(address: str):
    """Whatever passes as addresses is the recipients, and no other setting of the server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESTMON_MAIL_SERVER", "mailto://mail.example.com?from=restmon@example.com")
        get_settings.cache_clear()
        try:
            url = urlsplit(mail_server.expand(address))
        except BadRequest:
            return
        finally:
            get_settings.cache_clear()
    assert (url.netloc, url.fragment) == ("mail.example.com", "")
    recipients = ",".join(one.strip() for one in address.split(","))
    assert parse_qsl(url.query) == [("from", "restmon@example.com"), ("to", recipients)]


@pytest.mark.parametrize(
    "server", ["smtp.example.com", "https://user:word@x.example", "mailto://x?to=a@example.com"]
)
def test_a_bad_server_is_one_sentence(workspace: Workspace, server: str):
    workspace.env["RESTMON_MAIL_SERVER"] = server
    done = workspace.restmon("status")
    assert done.returncode == 2
    assert "RESTMON_MAIL_SERVER" in done.stderr
    assert "user:word" not in done.stderr
    assert "Traceback" not in done.stderr
