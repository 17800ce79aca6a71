"""Accounts, and logging in."""

import socket
from urllib.parse import urlencode

from restmon.access import sessions
from restmon.access.roles import Actor, Role
from restmon.storage import database
from restmon.storage.access_models import Account, AccountGroup
from tests.support.http import Answer
from tests.support.workspace import Workspace

PASSWORD = "seven green lamps burn"

MINE, OTHERS = "a", "b"


def token_of(who: str) -> str:
    return sessions.log_in(f"{who.replace(' ', '-')}@example.com", PASSWORD, "192.0.2.7")


def actor_of(who: str) -> Actor:
    email = f"{who.replace(' ', '-')}@example.com"
    with database.session():
        row = Account.get(Account.email == email)
        mine = AccountGroup.select().where(AccountGroup.account == row.id)
        seen_groups = frozenset(entry.group_id for entry in mine)
    return Actor(email, Role(row.role), None if row.every_store else seen_groups)


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def post_login(workspace: Workspace, headers: dict[str, str] | None = None, **form: str) -> Answer:
    """POST /login, without following where it leads."""
    body = urlencode(form).encode()
    with socket.create_connection(("127.0.0.1", workspace.dashboard_port), 30) as connection:
        head = (
            f"POST /login HTTP/1.1\r\nHost: 127.0.0.1:{workspace.dashboard_port}\r\n"
            f"Content-Type: {FORM['Content-Type']}\r\nContent-Length: {len(body)}\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
            + "Connection: close\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        received = b""
        while part := connection.recv(65536):
            received += part
    head_bytes, _, content = received.partition(b"\r\n\r\n")
    first, *lines = head_bytes.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
    return Answer(int(first.split()[1]), headers, content)
