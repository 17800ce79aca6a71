"""Channels: encrypted addresses that nobody sees again, and what is refused."""

import logging
import stat
from collections.abc import Iterator
from dataclasses import replace

import pytest

from restmon.access.roles import Actor, Role
from restmon.errors import BadRequest, NotFound, RestmonError
from restmon.notify import channel_urls, channels, outbox, secrets
from restmon.notify import health as notify_health
from restmon.notify.public_addresses import AddressRefused
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.access_models import Fact
from restmon.storage.models import Group
from restmon.storage.notify_models import Channel
from restmon.stores import groups
from tests.support.receivers import Inbox, mail_server
from tests.support.workspace import Workspace, open_workspace, same_connections

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/"
pytestmark = pytest.mark.both_databases


@pytest.fixture(autouse=True)
def own_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tests send to this machine; those of what is refused take the setting away."""
    monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_WEBHOOKS", "yes")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as found:
        yield found


def everything_stored() -> str:
    with database.session():
        tables = [name for name in models.database.get_tables() if not name.startswith("sqlite_")]
        return "\n".join(
            str(row)
            for name in tables
            for row in models.database.execute_sql(f'SELECT * FROM "{name}"').fetchall()
        )


def test_an_address_is_stored_encrypted_and_shown_by_its_scheme(workspace: Workspace):
    channels.add_channel("Slack", SLACK)
    _, secret = channels.add_webhook("Till", "https://8.8.8.8/hook-of-ours", channels.EVENTS)
    stored = everything_stored()
    for part in ("T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ", "hook-of-ours", secret):
        assert part not in stored
    shown = channels.list_channels()
    assert [(one.name, one.address) for one in shown] == [
        ("Slack", "slack://***"),
        ("Till", "https://***"),
    ]
    assert "TIiaj" not in repr(shown)
    with database.session():
        row = Channel.get(Channel.name == "Slack")
    assert secrets.decrypt(row.url) == SLACK


def test_the_key_is_made_for_its_owner_alone(workspace: Workspace):
    channels.add_channel("Slack", SLACK)
    path = get_settings().data_dir / secrets.KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.glob("secret.key*")] == ["secret.key"]


def test_another_key_is_one_sentence(workspace: Workspace, monkeypatch: pytest.MonkeyPatch):
    token = secrets.encrypt("text")
    monkeypatch.setenv("RESTMON_SECRET_KEY", "A" * 43 + "=")
    get_settings.cache_clear()
    with pytest.raises(secrets.KeyChanged, match="another key"):
        secrets.decrypt(token)
    assert secrets.decrypt(secrets.encrypt("text")) == "text"


@pytest.fixture
def on_postgres(workspace: Workspace, postgres_url: str) -> Iterator[Workspace]:
    """A workspace whose database is on PostgreSQL."""
    env = {**workspace.env, "RESTMON_DATABASE_URL": postgres_url, "RESTMON_QUEUE_URL": ""}
    made = replace(workspace, env=env)
    with same_connections(), open_workspace(made):
        yield made


KEYS = {letter: letter * 43 + "=" for letter in "AB"}


@pytest.mark.postgres
def test_machines_with_different_keys_are_told(
    on_postgres: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def have(key: str | None, folder: str) -> None:
        monkeypatch.setenv("RESTMON_SECRET_KEY", KEYS.get(key or "", ""))
        monkeypatch.setenv("RESTMON_DATA_DIR", str(on_postgres.path / folder))
        get_settings.cache_clear()

    have(None, "other")
    secrets.check_key()  # there is no channel yet
    have("A", "own")
    channel = channels.add_channel("Slack", SLACK)
    secrets.check_key()
    token = secrets.derive_token("x")
    for key, said in (("B", "another key than the one"), (None, "has no key")):
        have(key, "other")
        for use in (
            secrets.check_key,
            lambda: secrets.encrypt("text"),
            lambda: secrets.derive_token("x"),
            lambda: secrets.decrypt(Channel.get().url),
        ):
            with pytest.raises(secrets.KeyChanged, match=f"This machine {said}|{said}"):
                use()
        assert said in notify_health.describe_outbox(outbox.measure_depth())
        assert not (on_postgres.path / "other" / secrets.KEY_FILE).exists()
    have("A", "third")
    assert secrets.derive_token("x") == token
    assert notify_health.describe_outbox(outbox.measure_depth()) == "ok"
    # The key is lost: without the channels another one counts.
    have("B", "other")
    channels.delete_channel(channel)
    secrets.check_key()
    channels.add_channel("Slack again", SLACK)
    have("A", "own")
    with pytest.raises(secrets.KeyChanged):
        secrets.check_key()


@pytest.mark.postgres
def test_a_key_from_before_fingerprints_is_found_by_what_it_reads(
    on_postgres: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RESTMON_SECRET_KEY", KEYS["A"])
    get_settings.cache_clear()
    channels.add_channel("Slack", SLACK)
    with database.session():
        Fact.delete().where(Fact.name.startswith(secrets.FINGERPRINT)).execute()
    monkeypatch.setenv("RESTMON_SECRET_KEY", KEYS["B"])
    get_settings.cache_clear()
    with pytest.raises(secrets.KeyChanged):
        secrets.check_key()
    with database.session():
        assert not Fact.select().where(Fact.name.startswith(secrets.FINGERPRINT)).exists()
    monkeypatch.setenv("RESTMON_SECRET_KEY", KEYS["A"])
    get_settings.cache_clear()
    secrets.check_key()
    with database.session():
        assert Fact.select().where(Fact.name.startswith(secrets.FINGERPRINT)).count() == 1


@pytest.mark.postgres
def test_a_worker_with_another_key_does_not_start(on_postgres: Workspace):
    channels.add_channel("Slack", SLACK)
    done = on_postgres.restmon("worker", env={"RESTMON_SECRET_KEY": KEYS["B"]})
    assert done.returncode == 2
    assert "This machine has another key than the one" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("nonsense", "does not begin with a scheme"),
        ("foo://secret-thing", "no service with the scheme foo"),
        ("slack://secret-thing", "not complete"),
        ("mailto://127.0.0.1?to=secret-thing%0d%0aBcc:x@example.com", "line break"),
        ("mailto://127.0.0.1?to=secret-thing%250ax@example.com", "line break"),
        ("mailto://127.0.0.1\n?to=secret-thing@example.com", "line break"),
        ("json://secret-thing/", "Make a webhook"),
        ("syslog://secret-thing", "writes on the machine"),
        (SLACK + "%23secret-thing/%23b", "names 2 recipients"),
        (SLACK + "?template=/etc/passwd&x=secret-thing", "names a file"),
        (
            "mailto://no-such-host.invalid?from=a@example.com&to=secret-thing@example.com",
            "was not found",
        ),
        ("slack://" + "secret-thing" * 500, "longer than"),
    ],
)
def test_a_bad_address_is_refused_and_not_repeated(
    workspace: Workspace, url: str, why: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(BadRequest, match=why) as caught:
        channels.add_channel("Mail", url)
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "secret-thing" not in str(chain)
        chain = chain.__cause__
    assert "secret-thing" not in caplog.text
    assert channels.list_channels() == []


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "localhost", "[::1]"])
def test_the_own_network_is_refused_unless_allowed(
    workspace: Workspace, host: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_WEBHOOKS", "no")
    get_settings.cache_clear()
    with pytest.raises(AddressRefused):
        channels.add_webhook("Till", f"http://{host}/x", channels.EVENTS)
    with pytest.raises((channel_urls.ChannelRefused, BadRequest)):
        channels.add_channel("Mail", f"mailto://{host}?to=a@example.com&from=b@example.com")
    assert channels.list_channels() == []


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\0b"])
def test_bad_names(workspace: Workspace, name: str):
    with pytest.raises(BadRequest, match="name of a channel"):
        channels.add_channel(name, SLACK)


@pytest.mark.parametrize(
    "who",
    [
        channels.Recipient("Mars/Olympus"),
        channels.Recipient("America/Denver", quiet_from=0),
        channels.Recipient(None, 0, 60_000_000),
    ],
)
def test_bad_quiet_hours(workspace: Workspace, who: channels.Recipient):
    with pytest.raises(BadRequest):
        channels.add_channel("Mail", SLACK, who)


def test_an_owner_manages_channels_of_their_own_groups_alone(workspace: Workspace):
    for name in ("Mine", "Theirs"):
        groups.create(name)
    with database.session():
        rows = {group.name: group.id for group in Group.select()}
    mine = Actor("owner@example.com", Role.OWNER, frozenset({rows["Mine"]}))
    theirs = Actor("other@example.com", Role.OWNER, frozenset({rows["Theirs"]}))
    own = channels.add_channel("Ours", SLACK, actor=mine)
    of_all = channels.add_channel("Everybody", SLACK)
    assert [one.name for one in channels.list_channels(mine)] == ["Ours"]
    assert channels.list_channels(theirs) == []
    assert len(channels.list_channels()) == 2
    for channel, actor in ((own, theirs), (of_all, mine)):
        for act in (channels.delete_channel, channels.send_test):
            with pytest.raises(NotFound):
                act(channel, actor)
    with pytest.raises(NotFound):
        channels.add_channel("X", SLACK, groups=["Theirs"], actor=mine)
    viewer = Actor("viewer@example.com", Role.VIEWER, frozenset({rows["Mine"]}))
    with pytest.raises(RestmonError, match="may not"):
        channels.add_channel("X", SLACK, actor=viewer)
    channels.send_test(own, mine)
    assert len(outbox.list_recent(mine)) == 1
    assert outbox.list_recent(theirs) == []
    # What belongs to a deleted group is left to those who see every store.
    groups.delete("Mine")
    assert channels.list_channels(theirs) == []
    assert [one.groups for one in channels.list_channels()] == [None, ["(deleted)"]]
