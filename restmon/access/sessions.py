"""Sessions: logging in and out, and finding the account of a request.

Of a session's token only its SHA-256 is kept.
"""

import re
import secrets
from dataclasses import dataclass

from restmon.access import audit
from restmon.access.account_rows import end_sessions_of, find_account, same_email
from restmon.access.grants import ACCOUNT_GRANTS
from restmon.access.password_check import check_password, renew_stored_hash
from restmon.access.passwords import hash_token
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import DAY, HOUR, SECOND
from restmon.errors import NotFound
from restmon.storage.access_models import Account, Session
from restmon.storage.database import session, updating, writing
from restmon.storage.models import now

IDLE, LONGEST_LOGIN = 12 * HOUR, 7 * DAY
"""A login ends after 12 hours without use, and after 7 days in any case."""


SEEN_EVERY = 60 * SECOND


LONGEST_BROWSER = 100


ID_DIGITS = 16
"""The first digits of a token's hash are the id of its login."""


@dataclass(frozen=True)
class OpenSession:
    """A login that has not ended: its ``id``, the ``browser`` and ``address`` it began from, the
    instant it ``began`` and the instant it was last ``seen``, to the minute."""

    id: str
    browser: str
    address: str
    began: int
    seen: int


def log_in(email: str, password: str, address: str, browser: str = "") -> str:
    """Check a password and return the token of a new login. A login and a failed try both go into
    the audit. Raises TooManyTries, and NotLoggedIn, which does not say what was wrong."""
    row = check_password(email, password, address, audit.LOGIN_FAILED)
    renew_stored_hash(row, password)
    token = secrets.token_urlsafe(32)
    with updating():
        Session.delete().where(_ended()).execute()
        Session.create(
            token_hash=hash_token(token),
            account=row.id,
            browser=audit.printable(browser)[:LONGEST_BROWSER],
            address=audit.printable(address),
        )
        Account.update(last_login_at=now()).where(Account.id == row.id).execute()
        audit.note(row.email, audit.LOGGED_IN, address=address)
    return token


def log_out(token: str, address: str = "") -> None:
    """End a login, if there is one."""
    with updating():
        row = _find_session(token)
        if row is not None:
            Session.delete().where(Session.token_hash == row.token_hash).execute()
            audit.note(row.account.email, audit.LOGGED_OUT, address=address)


def find_by_token(token: str) -> Actor | None:
    """The actor of a login's token; None where the login has ended or never existed."""
    with session():
        row = _find_session(token)
        if row is None or row.account.disabled_at is not None:
            return None
        if now() - row.seen_at > SEEN_EVERY:
            Session.update(seen_at=now()).where(Session.token_hash == row.token_hash).execute()
        return actor_of(row.account)


def find_by_email(email: str, began: int, address: str = "") -> Actor | None:
    """The actor with an e-mail address that another service confirmed, in a login that ``began`` at
    an instant. None if no active account has the address. A new login goes into the audit."""
    with session():
        row = Account.get_or_none(
            (Account.same_email == same_email(email)) & Account.disabled_at.is_null()
        )
        if row is None or began < (row.logged_out_at or 0):
            return None
        before = Account.last_login_at.is_null() | (Account.last_login_at < began)
        mine = (Account.id == row.id) & before
        with updating():
            if Account.update(last_login_at=began).where(mine).execute():
                audit.note(row.email, audit.LOGGED_IN, address=address)
        return actor_of(row)


def list_sessions(email: str, actor: Actor = THIS_MACHINE) -> list[OpenSession]:
    """The password logins of an account that have not ended, last seen first. Raises NotFound, and
    Forbidden for another's account unless the actor is an operator."""
    with session():
        row = _find_own_or_any(email, actor)
        query = Session.select().where((Session.account == row.id) & ~_ended())  # type: ignore[operator]
        found = list(query.order_by(Session.seen_at.desc()))
    return [
        OpenSession(s.token_hash[:ID_DIGITS], s.browser, s.address, s.created_at, s.seen_at)
        for s in found
    ]


def end_sessions(email: str, session_id: str | None = None, actor: Actor = THIS_MACHINE) -> int:
    """End one login of an account; without an id all of them, also those by OIDC. Returns how many
    password logins ended. Raises NotFound and Forbidden as `list_sessions` does."""
    with writing():
        row = _find_own_or_any(email, actor)
        if session_id is None:
            count = end_sessions_of(row)
        else:
            if not re.fullmatch(f"[0-9a-f]{{{ID_DIGITS}}}", session_id):
                raise NotFound("There is no such login.", "Take an id from the list.")
            mine = (Session.account == row.id) & Session.token_hash.startswith(session_id)
            count = int(Session.delete().where(mine).execute())
            if not count:
                raise NotFound("This login has ended already.", "Look at the list again.")
        audit.note(actor, audit.SESSIONS_ENDED, row.email)
    return count


def session_id(token: str) -> str:
    """The id under which the login of a token is listed."""
    return hash_token(token)[:ID_DIGITS]


def actor_of(row: Account) -> Actor:
    """The actor of an account."""
    return Actor(row.email, Role(row.role), ACCOUNT_GRANTS.groups_of(row))


def _find_own_or_any(email: str, actor: Actor) -> Account:
    """The account. Raises Forbidden for another's account unless the actor is an operator."""
    if same_email(email) != same_email(actor.name):
        actor.must(Role.OPERATOR)
    return find_account(email)


def _find_session(token: str) -> Session | None:
    query = Session.select(Session, Account).join(Account)
    return query.where((Session.token_hash == hash_token(token)) & ~_ended()).first()  # type: ignore[operator]


def _ended() -> object:
    moment = now()
    return (Session.seen_at < moment - IDLE) | (Session.created_at < moment - LONGEST_LOGIN)
