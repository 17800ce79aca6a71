"""Bearer keys of the API: who, beside the people at this machine, may ask it for what.

Of a key only its SHA-256 is kept: it is 256 random bits, so there is nothing to guess from it. What
its role may do is in `roles`.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence

from peewee import IntegrityError

from restmon.database import session, tuples, writing
from restmon.errors import BadRequest, NotFound, NotLoggedIn, SettingsError
from restmon.hours import DAY, SECOND
from restmon.loopback import is_loopback
from restmon.models import ApiKey, ApiKeyGroup, Group, now
from restmon.roles import Actor, Role
from restmon.scope import checked_scope
from restmon.settings import Settings

PREFIX = "restmon_"
SHOWN = 14
"""So much of a key's beginning is kept, to tell keys apart by."""
LONGEST_NAME = 64
MOST_DAYS = 36_500
USE_NOTED_EVERY = 60 * SECOND


def make(
    name: str, role: str = Role.VIEWER, days: int | None = None, groups: Sequence[str] = ()
) -> str:
    """Make a key and return it, the only time that it is seen; it expires after so many days
    (None: never), and sees the stores of the groups alone where they are given. Raises BadRequest
    for a name, a role, days or groups that cannot be, NotFound for a group that is not there."""
    kept = name.strip()
    if not 1 <= len(kept) <= LONGEST_NAME or any(
        unicodedata.category(letter)[0] == "C" for letter in kept
    ):
        raise BadRequest(
            f"{name[:80]!r} cannot be a key's name.",
            f"Write 1 to {LONGEST_NAME} letters, without control characters.",
        )
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise BadRequest(f"A key cannot last {days} days.", f"Write 1 to {MOST_DAYS:,}.")
    key = PREFIX + secrets.token_urlsafe(32)
    expires_at = None if days is None else now() + days * DAY
    try:
        with writing():
            wanted = checked_scope(role, groups)
            row = ApiKey.create(
                name=kept,
                start=key[:SHOWN],
                key_hash=_hash(key),
                role=str(role),
                every_store=wanted is None,
                expires_at=expires_at,
            )
            for group in wanted or []:
                ApiKeyGroup.create(api_key=row.id, group=group)
    except IntegrityError:
        raise BadRequest(f"There is already a key {kept!r}.", "Write another name.") from None
    return key


def revoke(name: str) -> None:
    """Make a key worthless from now on; it stays on record. Raises NotFound."""
    with writing():
        row = ApiKey.get_or_none(ApiKey.name == name.strip())
        if row is None:
            raise NotFound(f"There is no key {name[:64]!r}.", "python -m restmon keys list")
        ApiKey.update(revoked_at=now()).where(
            (ApiKey.id == row.id) & ApiKey.revoked_at.is_null()
        ).execute()


def groups_of_keys() -> dict[str, list[str]]:
    """The names of the groups that confine each key, by the key's name; none for every store."""
    with session():
        query = (
            ApiKeyGroup.select(ApiKey.name, Group.name)
            .join(ApiKey)
            .switch(ApiKeyGroup)
            .join(Group)
            .order_by(Group.same_name)
        )
        found: dict[str, list[str]] = {}
        for key, group in tuples(query):
            found.setdefault(key, []).append(group)
    return found


def listed() -> list[ApiKey]:
    """All keys ever made, by name."""
    with session():
        return list(ApiKey.select().order_by(ApiKey.name))


def state(row: ApiKey) -> str:
    """Whether a key is good: active, expired or revoked."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now() else "active"


def check(key: str) -> Actor:
    """Who asks with a key that is good, its use noted to the minute; raises NotLoggedIn."""
    with session():
        row = ApiKey.get_or_none(ApiKey.key_hash == _hash(key))
        if row is None or state(row) != "active":
            said = "is not known" if row is None else f"has {_ended(row)}"
            raise NotLoggedIn(f"The API key {said}.", "Ask an operator for a new one.")
        if row.last_used_at is None or now() - row.last_used_at > USE_NOTED_EVERY:
            ApiKey.update(last_used_at=now()).where(ApiKey.id == row.id).execute()
        groups = None
        if not row.every_store:
            query = ApiKeyGroup.select(ApiKeyGroup.group).where(ApiKeyGroup.api_key == row.id)
            groups = frozenset(group for (group,) in tuples(query))
    return Actor(f"key {row.name}", Role(row.role), groups)


def _ended(row: ApiKey) -> str:
    return "been revoked" if row.revoked_at is not None else "expired"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def needed(settings: Settings) -> bool:
    """Whether the API listens where others reach it, so that it answers to keys only."""
    return not is_loopback(settings.api_host)


def check_exposure(settings: Settings) -> None:
    """Raise SettingsError where others reach the API and no key is good. Opens no database."""
    if needed(settings) and not any(state(row) == "active" for row in listed()):
        raise SettingsError(
            f"The API would listen on {settings.api_host or 'every address'}, where others reach "
            "it, and there is no API key.",
            "Make one (python -m restmon keys make NAME), or set RESTMON_API_HOST=127.0.0.1.",
        )
