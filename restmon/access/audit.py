"""The audit: who did what, and when.

A service that changes something takes the `Actor` and writes the entry itself, inside the
transaction of the change: both are stored, or neither. Entries never change. They are deleted when
they are older than RESTMON_KEEP_AUDIT_DAYS.
"""

from restmon.access.roles import Actor
from restmon.storage import database, models
from restmon.storage.access_models import AuditEntry

LOGGED_IN, LOGIN_FAILED, LOGGED_OUT = "logged in", "login failed", "logged out"
CHECK_FAILED = "gave a wrong password"
IMPORTED, TRIGGERED, EDITED = "asked for an import", "asked for a report", "edited a store"
DOCUMENT_REQUESTED = "asked for a document"
STATUS_PAGE_CHANGED = "changed a status page"
SCHEDULE_CHANGED = "changed a schedule"
HOURS_CHANGED, ZONE_CHANGED = "changed hours", "changed a time zone"
HOURS_AND_ZONE_CHANGED = "changed hours and time zone"
ENTRY_CHANGED, SALES_CHANGED = "changed a store's entry", "changed hourly sales"
DATES_CHANGED, GROUP_DATES_CHANGED = "changed hours on dates", "changed a group's dates"
UNDONE = "undid an import"
STORE_DELETED = "deleted a store"
GROUPS_CHANGED, TARGETS_CHANGED = "changed groups", "changed targets"
NOTE_WRITTEN, NOTE_CHANGED, NOTE_DELETED = "wrote a note", "changed a note", "deleted a note"
CHANNELS_CHANGED, RULES_CHANGED = "changed channels", "changed alert rules"
ACKNOWLEDGED, SENT_AGAIN = "acknowledged an alert", "sent a message again"
ACCOUNT_DELETED, ACCOUNTS_RESET = "deleted an account", "removed all accounts"
UNLOCKED, SESSIONS_ENDED = "unlocked an account", "ended logins"
ACCOUNT_CHANGED, KEY_CHANGED = "changed an account", "changed a key"
LINK_MADE, LINK_USED = "made a link for a password", "set a password by a link"
KEY_REFUSED = "no good key"
DEMO_REMOVED = "removed the demo stores"
POLLS_FORGOTTEN = "deleted polls"
AUDIT_FORGOTTEN = "deleted audit entries"
LONGEST_TEXT = 200


def note(actor: Actor | str, action: str, subject: str = "", address: str = "") -> None:
    """Add an entry: an actor (or a name that somebody gave) did something to a ``subject``: the id
    of a report, an import or a store, an e-mail address, a name. ``address`` is where they came
    from, the actor's own unless given. Raises RuntimeError outside of a transaction."""
    if not models.database.in_transaction():
        raise RuntimeError("Write an audit entry in the transaction of the change it is about.")
    name, place = (actor, "") if isinstance(actor, str) else (actor.name, actor.address)
    AuditEntry.create(
        actor=printable(name),
        action=action,
        subject=printable(subject),
        address=printable(address or place),
    )


def printable(text: str) -> str:
    """Text from outside, made safe to store and show: without control characters, and cut."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[:LONGEST_TEXT])
    return shown.encode("utf-8", "replace").decode()


def list_recent(limit: int = 500) -> list[AuditEntry]:
    """The newest entries, newest first."""
    with database.session():
        return list(AuditEntry.select().order_by(AuditEntry.id.desc()).limit(limit))
