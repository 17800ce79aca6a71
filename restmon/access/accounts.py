"""Accounts: who may use the dashboard where others reach it, their passwords and their logins.

Of a password only its Argon2id hash is kept, of a login's token only its SHA-256. Whoever guesses
is slowed down by what the audit says of failed logins.
"""

import hashlib
import re
import secrets
import threading
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from peewee import IntegrityError

from restmon import audit
from restmon.database import session, tuples, writing
from restmon.errors import BadRequest, NotFound, NotLoggedIn, SettingsError, TooManyTries
from restmon.hours import DAY, HOUR, SECOND
from restmon.loopback import is_loopback
from restmon.models import Account, AccountGroup, AuditEntry, Group, Session, now
from restmon.roles import Actor, Role
from restmon.scope import checked_scope
from restmon.settings import Settings

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.][^@\s]{0,180}")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1024
IDLE, LONGEST_LOGIN = 12 * HOUR, 7 * DAY
"""A login ends after so long without use, and in any case."""
SEEN_EVERY = 60 * SECOND
TRIES_WITHIN = 15 * 60 * SECOND
MOST_TRIES, MOST_TRIES_OF_ADDRESS, MOST_TRIES_OF_EMAIL = 5, 30, 100
"""Failed logins within that time: of an e-mail from one address, of an address, of an e-mail."""
AT_ONCE = threading.BoundedSemaphore(4)
"""Each check of a password takes 64 MiB."""

_hasher = PasswordHasher()


@dataclass(frozen=True)
class Person:
    """An account as it is shown: ``groups`` are names, None for every store."""

    email: str
    role: Role
    groups: list[str] | None
    has_password: bool
    active: bool
    created_at: int
    last_login_at: int | None


def add(
    email: str, role: str = Role.VIEWER, password: str | None = None, groups: Sequence[str] = ()
) -> None:
    """Make an account; without a password the person logs in by OIDC. Raises BadRequest for an
    e-mail, a role, a password or groups that cannot be, NotFound for a group that is not there."""
    kept = _email(email)
    hashed = None if password is None else _hash(password, kept)
    with writing():
        wanted = checked_scope(role, groups)
        if role != Role.OPERATOR and not Account.select().exists():
            raise BadRequest(
                "The first account has to be an operator's: from then on everybody logs in.",
                "Make that one first.",
            )
        try:
            row = Account.create(
                email=kept,
                same_email=_same(kept),
                role=role,
                every_store=wanted is None,
                password_hash=hashed,
            )
        except IntegrityError:
            raise BadRequest(
                f"There is already an account {kept!r}.", "Change that one instead."
            ) from None
        _set_groups(row, wanted)


def change(
    email: str, role: str, groups: Sequence[str] = (), *, keep_operator: bool = False
) -> None:
    """Give an account another role and other groups. Raises as `add` does, and BadRequest where
    no operator would be left that can log in, unless that does not matter."""
    with writing():
        row = _get(email)
        if keep_operator and role != Role.OPERATOR:
            _keep_an_operator(row)
        wanted = checked_scope(role, groups)
        Account.update(role=role, every_store=wanted is None).where(Account.id == row.id).execute()
        _set_groups(row, wanted)


def set_password(email: str, password: str) -> None:
    """Give an account another password and end its logins."""
    with session():
        row = _get(email)
    hashed = _hash(password, row.email)
    with writing():
        Account.update(password_hash=hashed).where(Account.id == row.id).execute()
        Session.delete().where(Session.account == row.id).execute()


def change_password(email: str, old: str, new: str, address: str = "") -> None:
    """Give an account another password where the old one is known. Raises NotLoggedIn and
    TooManyTries as `log_in` does, and BadRequest."""
    token = log_in(email, old, address)
    try:
        set_password(email, new)
    finally:
        log_out(token, address)
    audit.note(email, audit.ACCOUNT_CHANGED, email, address)


def has_password(email: str) -> bool:
    """Whether the account logs in by a password."""
    with session():
        return _get(email).password_hash is not None


def set_active(email: str, active: bool, *, keep_operator: bool = False) -> None:
    """Let an account log in, or no longer: then its logins end at once. It stays on record.
    Raises BadRequest as `change` does."""
    with writing():
        row = _get(email)
        if keep_operator and not active:
            _keep_an_operator(row)
        disabled = None if active else row.disabled_at or now()
        Account.update(disabled_at=disabled).where(Account.id == row.id).execute()
        if not active:
            Session.delete().where(Session.account == row.id).execute()


def listed() -> list[Person]:
    """All accounts, by e-mail."""
    with session():
        names: dict[int, list[str]] = {}
        query = (
            AccountGroup.select(AccountGroup.account, Group.name)
            .join(Group)
            .order_by(Group.same_name)
        )
        for account, name in tuples(query):
            names.setdefault(account, []).append(name)
        rows = list(Account.select().order_by(Account.same_email))
    return [
        Person(
            row.email,
            Role(row.role),
            None if row.every_store else names.get(row.id, []),
            row.password_hash is not None,
            row.disabled_at is None,
            row.created_at,
            row.last_login_at,
        )
        for row in rows
    ]


def log_in(email: str, password: str, address: str) -> str:
    """Check a password and return the token of a new login. Raises NotLoggedIn, without telling
    what was wrong, and TooManyTries. Both a login and a failed try go into the audit."""
    with AT_ONCE:
        # In here, so that who asks many times at once is slowed down too.
        _slow_down(email, address)
        with session():
            row = Account.get_or_none(Account.same_email == _same(email))
        good = _verified(None if row is None else row.password_hash, password)
        if not good or row is None or row.password_hash is None or row.disabled_at is not None:
            audit.note(_same(email), audit.LOGIN_FAILED, address=address)
            raise NotLoggedIn("E-mail or password is wrong.", "Try again, or ask an operator.")
    if _hasher.check_needs_rehash(row.password_hash):
        with AT_ONCE:
            renewed = _hasher.hash(password)
        with session():
            Account.update(password_hash=renewed).where(Account.id == row.id).execute()
    token = secrets.token_urlsafe(32)
    with writing():
        Session.delete().where(_ended()).execute()
        Session.create(token_hash=_token_hash(token), account=row.id)
        Account.update(last_login_at=now()).where(Account.id == row.id).execute()
        audit.note(row.email, audit.LOGGED_IN, address=address)
    return token


def log_out(token: str, address: str = "") -> None:
    """End a login, if there is one."""
    with writing():
        row = _session(token)
        if row is not None:
            Session.delete().where(Session.token_hash == row.token_hash).execute()
            audit.note(row.account.email, audit.LOGGED_OUT, address=address)


def of_token(token: str) -> Actor | None:
    """Who has logged in under the token; None where the login has ended or never was."""
    with session():
        row = _session(token)
        if row is None or row.account.disabled_at is not None:
            return None
        if now() - row.seen_at > SEEN_EVERY:
            Session.update(seen_at=now()).where(Session.token_hash == row.token_hash).execute()
        return _actor(row.account)


def of_email(email: str, began: int, address: str = "") -> Actor | None:
    """Whose account has the e-mail, which another has vouched for in a login that ``began``
    (microseconds); None where nobody's has. A login seen for the first time goes into the audit."""
    with session():
        row = Account.get_or_none(
            (Account.same_email == _same(email)) & Account.disabled_at.is_null()
        )
        if row is None:
            return None
        before = Account.last_login_at.is_null() | (Account.last_login_at < began)
        mine = (Account.id == row.id) & before
        if Account.update(last_login_at=began).where(mine).execute():
            audit.note(row.email, audit.LOGGED_IN, address=address)
        return _actor(row)


def any_active() -> bool:
    """Whether anybody can log in."""
    with session():
        return Account.select().where(Account.disabled_at.is_null()).exists()


def needed(settings: Settings) -> bool:
    """Whether the dashboard asks for a login: where others reach it, and wherever somebody has an
    account (others may reach it through a proxy)."""
    return not is_loopback(settings.dashboard_host) or any_active()


def check_exposure(settings: Settings) -> None:
    """Raise SettingsError where others reach the dashboard and nobody can log in."""
    if not is_loopback(settings.dashboard_host) and not any_active():
        raise SettingsError(
            f"The dashboard would listen on {settings.dashboard_host or 'every address'}, where "
            "others reach it, and there is no account.",
            "Make one (python -m restmon accounts add E-MAIL --role operator), or set "
            "RESTMON_DASHBOARD_HOST=127.0.0.1.",
        )


def _keep_an_operator(row: Account) -> None:
    """Raise BadRequest where the account is the last operator's that can log in."""
    if row.role != Role.OPERATOR or row.disabled_at is not None:
        return
    operators = Account.select().where(
        (Account.role == str(Role.OPERATOR)) & Account.disabled_at.is_null()
    )
    if operators.count() < 2:
        raise BadRequest(
            f"{row.email} is the last operator.", "Make another account an operator first."
        )


def _set_groups(row: Account, groups: list[int] | None) -> None:
    AccountGroup.delete().where(AccountGroup.account == row.id).execute()
    for group in groups or []:
        AccountGroup.create(account=row.id, group=group)


def _actor(row: Account) -> Actor:
    groups = None
    if not row.every_store:
        query = AccountGroup.select(AccountGroup.group).where(AccountGroup.account == row.id)
        groups = frozenset(group for (group,) in tuples(query))
    return Actor(row.email, Role(row.role), groups)


def _slow_down(email: str, address: str) -> None:
    """Raise TooManyTries where too many logins failed lately."""
    with session():
        entries = tuples(
            AuditEntry.select(AuditEntry.actor, AuditEntry.address)
            .where(AuditEntry.at > now() - TRIES_WITHIN)
            .where(AuditEntry.action == audit.LOGIN_FAILED)
        )
    name, place = audit.printable(_same(email)), audit.printable(address)
    of_email = sum(who == name for who, _ in entries)
    of_address = sum(where == place for _, where in entries)
    both = sum(entry == (name, place) for entry in entries)
    if both >= MOST_TRIES or of_address >= MOST_TRIES_OF_ADDRESS or of_email >= MOST_TRIES_OF_EMAIL:
        raise TooManyTries(
            "There were too many failed logins.",
            f"Wait {TRIES_WITHIN // SECOND // 60} minutes, then try again.",
        )


def _ended() -> object:
    moment = now()
    return (Session.seen_at < moment - IDLE) | (Session.created_at < moment - LONGEST_LOGIN)


def _session(token: str) -> Session | None:
    query = Session.select(Session, Account).join(Account)
    return query.where((Session.token_hash == _token_hash(token)) & ~_ended()).first()  # type: ignore[operator]


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _verified(hashed: str | None, password: str) -> bool:
    given = password[: LONGEST_PASSWORD + 1].encode("utf-8", "replace")
    if not hashed:
        _hasher.hash(given)  # so that an e-mail nobody has takes as long as any other
        return False
    try:
        return _hasher.verify(hashed, given)
    except (VerificationError, InvalidHashError):
        return False


def _hash(password: str, email: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadRequest(
            f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD:,} letters.",
            "Choose another, such as four words that nobody would guess together.",
        )
    if len(set(password)) < 5 or _same(password) == _same(email):
        raise BadRequest("This password is easy to guess.", "Choose another.")
    return _hasher.hash(password.encode("utf-8", "replace"))


def _email(text: str) -> str:
    kept = text.strip()
    odd = any(unicodedata.category(letter)[0] == "C" for letter in kept)
    if odd or len(kept) > 254 or not EMAIL.fullmatch(kept):
        raise BadRequest(f"{text[:80]!r} is no e-mail address.", "Write it as name@example.com.")
    return kept


def _same(email: str) -> str:
    return unicodedata.normalize("NFKC", email.strip()).casefold().replace("\0", "?")


def _get(email: str) -> Account:
    row = Account.get_or_none(Account.same_email == _same(email))
    if row is None:
        raise NotFound(f"There is no account {email[:80]!r}.", "python -m restmon accounts list")
    return row
