"""Bearer keys of the API.

Only the SHA-256 of a key is stored. A key is 256 random bits, so its hash cannot be guessed. What
a key's role may do is in `roles`.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Sequence
from datetime import datetime

from peewee import IntegrityError

from restmon.access import audit
from restmon.access.grants import KEY_GRANTS
from restmon.access.roles import NOBODY, THIS_MACHINE, Actor, Role
from restmon.access.visibility import check_scope
from restmon.core.instants import DAY, SECOND
from restmon.errors import BadRequest, NotFound, NotLoggedIn
from restmon.storage.access_models import ApiKey
from restmon.storage.database import session, writing
from restmon.storage.models import now

PREFIX = "restmon_"
START_LENGTH = 14
"""The first characters of a key, which are stored to tell keys apart."""
LONGEST_NAME = 64
MOST_DAYS = 36_500
USE_NOTED_EVERY = 60 * SECOND


def make(
    name: str,
    role: str = Role.VIEWER,
    days: int | None = None,
    groups: Sequence[str] = (),
    actor: Actor = THIS_MACHINE,
) -> str:
    """Make a key and return it. Nothing shows it again.

    It expires after ``days`` (None: never). With ``groups`` it sees only the stores of these.
    Raises BadRequest for a name, role, days or groups that are not valid, NotFound for an unknown
    group, and Forbidden.
    """
    actor.must(Role.OPERATOR)
    shown = name.strip()
    if not 1 <= len(shown) <= LONGEST_NAME or any(
        unicodedata.category(letter)[0] == "C" for letter in shown
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
            wanted = check_scope(role, groups, tuple(Role))
            row = ApiKey.create(
                name=shown,
                start=key[:START_LENGTH],
                key_hash=_hash(key),
                role=str(role),
                every_store=wanted is None,
                expires_at=expires_at,
            )
            KEY_GRANTS.set(row.id, wanted)
            audit.note(actor, audit.KEY_CHANGED, shown)
    except IntegrityError:
        raise BadRequest(f"There is already a key {shown!r}.", "Write another name.") from None
    return key


def revoke(name: str, actor: Actor = THIS_MACHINE) -> None:
    """Revoke a key. Its row stays. Raises NotFound, Forbidden."""
    actor.must(Role.OPERATOR)
    with writing():
        row = ApiKey.get_or_none(ApiKey.name == name.strip())
        if row is None:
            raise NotFound(f"There is no key {name[:64]!r}.", "python -m restmon keys list")
        if row.revoked_at is None:
            ApiKey.update(revoked_at=now()).where(ApiKey.id == row.id).execute()
            audit.note(actor, audit.KEY_CHANGED, row.name)


def list_groups_of_keys() -> dict[str, list[str]]:
    """The names of each key's groups, by the key's name. Keys for every store are not in it."""
    with session():
        names = KEY_GRANTS.names()
        return {row.name: names[row.id] for row in ApiKey.select() if row.id in names}


def list_keys() -> list[ApiKey]:
    """All keys ever made, by name."""
    with session():
        return list(ApiKey.select().order_by(ApiKey.name))


def state(row: ApiKey) -> str:
    """The state of a key: active, expired or revoked."""
    if row.revoked_at is not None:
        return "revoked"
    return "expired" if row.expires_at is not None and row.expires_at <= now() else "active"


def check(key: str) -> Actor:
    """The actor of an active key. Stores its last use, to the minute. Raises NotLoggedIn."""
    with session():
        row = ApiKey.get_or_none(ApiKey.key_hash == _hash(key))
        if row is None or state(row) != "active":
            said = "is not known" if row is None else f"has {_ended(row)}"
            raise NotLoggedIn(f"The API key {said}.", "Ask an operator for a new one.")
        if row.last_used_at is None or now() - row.last_used_at > USE_NOTED_EVERY:
            ApiKey.update(last_used_at=now()).where(ApiKey.id == row.id).execute()
        groups = KEY_GRANTS.groups_of(row)
    return Actor(f"key {row.name}", Role(row.role), groups)


def _ended(row: ApiKey) -> str:
    return "been revoked" if row.revoked_at is not None else "expired"


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def note_refused(count: int, begin: datetime, address: str) -> None:
    """Write into the audit how many requests from an address had no valid key in the quarter hour
    that begins at an instant (UTC)."""
    requests = f"{count:,} request{'' if count == 1 else 's'}"
    subject = f"{requests} in the quarter hour from {begin:%Y-%m-%d %H:%M} UTC"
    with writing():
        audit.note(NOBODY, audit.KEY_REFUSED, subject, address)
