"""Links by which a person sets the password of an account, once: for a new account, and for a
person who forgot the password.

Of a link's token only its SHA-256 is kept.
"""

import secrets

from restmon.access import audit
from restmon.access.account_rows import find_account, put_password
from restmon.access.passwords import hash_token, make_hash
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import DAY
from restmon.errors import BadRequest, NotFound
from restmon.storage.access_models import Account, PasswordLink
from restmon.storage.database import session, writing
from restmon.storage.models import now

DAYS = 7
PATH = "/set-password"
"""Where the dashboard shows the form that a link leads to."""


def make_link(email: str, actor: Actor = THIS_MACHINE) -> str:
    """Make a link for an account, in place of an earlier one: its path and query.

    It can be used once, for 7 days. Raises NotFound, Forbidden, and BadRequest for a disabled
    account.
    """
    actor.must(Role.OPERATOR)
    token = secrets.token_urlsafe(32)
    with writing():
        row = find_account(email)
        if row.disabled_at is not None:
            raise BadRequest(f"The account {row.email} is disabled.", "Enable it first.")
        PasswordLink.delete().where((PasswordLink.account == row.id) | _expired()).execute()
        PasswordLink.create(token_hash=hash_token(token), account=row.id)
        audit.note(actor, audit.LINK_MADE, row.email)
    return f"{PATH}?token={token}"


def find_email(token: str) -> str:
    """The e-mail of the account that a link is for. Raises NotFound where the link was used, has
    expired, was replaced, or never existed."""
    with session():
        return str(_find(token).email)


def use_link(token: str, password: str, address: str = "") -> str:
    """Set the password of a link's account and end its logins; returns its e-mail. The link then
    ends. Raises NotFound as `find_email` does, and BadRequest for a password that is easy to guess,
    which leaves the link as it is."""
    hashed = make_hash(password, find_email(token))
    with writing():
        row = _find(token)
        put_password(row, hashed)
        audit.note(row.email, audit.LINK_USED, row.email, address)
    return str(row.email)


def _find(token: str) -> Account:
    query = PasswordLink.select(PasswordLink, Account).join(Account)
    mine = (PasswordLink.token_hash == hash_token(token)) & Account.disabled_at.is_null()
    row = query.where(mine & ~_expired()).first()  # type: ignore[operator]
    if row is None:
        raise NotFound(
            f"This link was used already, is older than {DAYS} days, or was replaced by another.",
            "Ask an operator for a new one.",
        )
    return row.account


def _expired() -> object:
    return PasswordLink.created_at < now() - DAYS * DAY
