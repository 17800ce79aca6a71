"""Accounts: who may use the dashboard where others reach it.

The first account makes the dashboard require a login. Only `reset` takes that back. There is always
an operator who can log in.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from peewee import IntegrityError

from restmon.access import audit
from restmon.access.account_rows import (
    checked_email,
    end_sessions_of,
    find_account,
    known_account,
    put_password,
    same_email,
)
from restmon.access.grants import ACCOUNT_GRANTS
from restmon.access.password_check import check_password
from restmon.access.passwords import make_hash
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.access.visibility import check_scope
from restmon.errors import BadRequest
from restmon.storage.access_models import Account, AccountGroup, Fact, PasswordLink, Session
from restmon.storage.database import session, writing
from restmon.storage.models import now

FIRST_ACCOUNT = "first account"


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
    email: str,
    role: str = Role.VIEWER,
    password: str | None = None,
    groups: Sequence[str] = (),
    actor: Actor = THIS_MACHINE,
) -> None:
    """Make an account. Without a password the person logs in by OIDC.

    Raises BadRequest for an e-mail, role, password or groups that are not valid, NotFound for an
    unknown group, and Forbidden.
    """
    actor.must(Role.OPERATOR)
    shown = checked_email(email)
    hashed = None if password is None else make_hash(password, shown)
    with writing():
        wanted = check_scope(role, groups)
        if role != Role.OPERATOR and not Account.select().exists():
            raise BadRequest(
                "The first account must be an operator's, because it makes everybody log in.",
                "Make an operator's account first.",
            )
        try:
            row = Account.create(
                email=shown,
                same_email=same_email(shown),
                role=role,
                every_store=wanted is None,
                password_hash=hashed,
            )
        except IntegrityError:
            raise BadRequest(
                f"There is already an account {shown!r}.", "Change that one instead."
            ) from None
        ACCOUNT_GRANTS.set(row.id, wanted)
        Fact.insert(name=FIRST_ACCOUNT, since=now()).on_conflict_ignore().execute()
        audit.note(actor, audit.ACCOUNT_CHANGED, shown)


def change(
    email: str,
    role: str,
    groups: Sequence[str] = (),
    password: str | None = None,
    actor: Actor = THIS_MACHINE,
) -> None:
    """Set the role and groups of an account, and its password if one is given, which ends its
    logins.

    Changes all or nothing. Raises as `add` does, and BadRequest if no operator could log in
    afterward.
    """
    actor.must(Role.OPERATOR)
    hashed = None if password is None else make_hash(password, known_account(email).email)
    with writing():
        row = find_account(email)
        if role != Role.OPERATOR:
            _keep_an_operator(row)
        wanted = check_scope(role, groups)
        Account.update(role=role, every_store=wanted is None).where(Account.id == row.id).execute()
        ACCOUNT_GRANTS.set(row.id, wanted)
        if hashed:
            put_password(row, hashed)
        audit.note(actor, audit.ACCOUNT_CHANGED, row.email)


def set_password(email: str, password: str, actor: Actor = THIS_MACHINE) -> None:
    """Give an account another password and end its logins. Raises NotFound, BadRequest,
    Forbidden."""
    actor.must(Role.OPERATOR)
    hashed = make_hash(password, known_account(email).email)
    with writing():
        row = find_account(email)
        put_password(row, hashed)
        audit.note(actor, audit.ACCOUNT_CHANGED, row.email)


def change_password(actor: Actor, old: str, new: str) -> None:
    """Change the actor's own password, which requires the old one, and end their logins. Raises
    NotLoggedIn and TooManyTries as `log_in` does, and BadRequest."""
    row = check_password(actor.name, old, actor.address, audit.CHECK_FAILED)
    hashed = make_hash(new, row.email)
    with writing():
        row = find_account(row.email)
        put_password(row, hashed)
        audit.note(actor, audit.ACCOUNT_CHANGED, row.email)


def has_password(email: str) -> bool:
    """Whether the account logs in by a password."""
    with session():
        return find_account(email).password_hash is not None


def set_active(email: str, active: bool, actor: Actor = THIS_MACHINE) -> None:
    """Enable or disable an account. Disabling ends its logins at once and keeps its row. Raises
    BadRequest and Forbidden as `change` does."""
    actor.must(Role.OPERATOR)
    with writing():
        row = find_account(email)
        if not active:
            _keep_an_operator(row)
        disabled = None if active else row.disabled_at or now()
        Account.update(disabled_at=disabled).where(Account.id == row.id).execute()
        if not active:
            end_sessions_of(row)
        audit.note(actor, audit.ACCOUNT_CHANGED, row.email)


def delete(email: str, actor: Actor = THIS_MACHINE) -> None:
    """Remove an account and its logins; what it did stays in the audit. Raises NotFound, Forbidden,
    and BadRequest for the last operator's."""
    actor.must(Role.OPERATOR)
    with writing():
        row = find_account(email)
        _keep_an_operator(row)
        for model in (Session, PasswordLink, AccountGroup):
            model.delete().where(model.account == row.id).execute()
        Account.delete().where(Account.id == row.id).execute()
        audit.note(actor, audit.ACCOUNT_DELETED, row.email)


def unlock(email: str, actor: Actor = THIS_MACHINE) -> None:
    """Let an account log in again after too many failed logins. Raises NotFound, Forbidden."""
    actor.must(Role.OPERATOR)
    with writing():
        row = find_account(email)
        audit.note(actor, audit.UNLOCKED, row.same_email)


def reset(actor: Actor = THIS_MACHINE) -> int:
    """Remove all accounts and logins, so that this machine requires no login, as before the first
    account. Returns how many accounts there were. Raises Forbidden."""
    actor.must(Role.OPERATOR)
    with writing():
        for model in (Session, PasswordLink, AccountGroup):
            model.delete().execute()
        count = int(Account.delete().execute())
        Fact.delete().where(Fact.name == FIRST_ACCOUNT).execute()
        audit.note(actor, audit.ACCOUNTS_RESET, str(count))
    return count


def list_accounts() -> list[Person]:
    """All accounts, by e-mail."""
    with session():
        names = ACCOUNT_GRANTS.names()
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


def is_any_active() -> bool:
    """Whether anybody can log in."""
    with session():
        return Account.select().where(Account.disabled_at.is_null()).exists()


def was_ever_made() -> bool:
    """Whether there has been an account since the last `reset`."""
    with session():
        return Fact.select().where(Fact.name == FIRST_ACCOUNT).exists()


def _keep_an_operator(row: Account) -> None:
    """Raise BadRequest if the account is the only operator's that can log in."""
    if row.role != Role.OPERATOR or row.disabled_at is not None:
        return
    operators = Account.select().where(
        (Account.role == str(Role.OPERATOR)) & Account.disabled_at.is_null()
    )
    if operators.count() < 2:
        raise BadRequest(
            f"{row.email} is the last operator.", "Make another account an operator first."
        )
