"""The audit: who did what, and when. Entries are only ever added."""

from restmon import database
from restmon.models import AuditEntry
from restmon.roles import Actor

LOGGED_IN, LOGIN_FAILED, LOGGED_OUT = "logged in", "login failed", "logged out"
IMPORTED, TRIGGERED, EDITED = "asked for an import", "asked for a report", "edited a store"
GROUPS_CHANGED = "changed groups"
ACCOUNT_CHANGED, KEY_CHANGED = "changed an account", "changed a key"
DEMO_REMOVED = "removed the demo stores"
LONGEST_TEXT = 200


def note(actor: Actor | str, action: str, subject: str = "", address: str = "") -> None:
    """Write that an actor (or whoever gave that name) did something to a ``subject``: the id of a
    report, an import or a store, an e-mail address, a name. ``address`` is where they came from."""
    name = actor if isinstance(actor, str) else actor.name
    with database.session():
        AuditEntry.create(
            actor=printable(name),
            action=action,
            subject=printable(subject),
            address=printable(address),
        )


def printable(text: str) -> str:
    """Text somebody gave, so that it can be kept and shown: without control characters, cut."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST_TEXT])
    return shown.encode("utf-8", "replace").decode()


def recent(limit: int = 500) -> list[AuditEntry]:
    """The newest entries, newest first."""
    with database.session():
        return list(AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit))
