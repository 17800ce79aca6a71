"""The audit in words: who did what, with the names of files, stores and groups, and links."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from peewee import chunked

from restmon.access import audit
from restmon.core.formatting import no_formula, store_label
from restmon.core.group_names import same_name
from restmon.core.instants import as_text
from restmon.errors import BadRequest
from restmon.reporting import report_details
from restmon.reporting.calendar_windows import describe_window
from restmon.storage import database
from restmon.storage.access_models import AuditEntry
from restmon.storage.models import Group, Import, Report, Store, StoreDirectory

AT_ONCE = 500
IMPORT, REPORT, STORE, GROUP = "import", "report", "store", "group"
ADDRESSES = {
    IMPORT: "/upload?import=",
    REPORT: "/reports?report=",
    STORE: "/store?store=",
    GROUP: "/settings?part=Groups&edit=",
}
"""Where the dashboard shows what an entry is about."""


@dataclass(frozen=True)
class Wording:
    """The kind of an action, what was done as words around ``{}``, and what the subject is (one of
    ADDRESSES, or None for a text)."""

    kind: str
    words: str
    of: str | None = None


LOGINS, FILES, REPORTS, STORES = "Logins", "Imports", "Reports", "Stores"
GROUPS, ACCOUNTS, ALERTS, DELETED = "Groups and targets", "Accounts and keys", "Alerts", "Deletions"
OTHER = "Other"
KINDS = (LOGINS, FILES, REPORTS, STORES, GROUPS, ACCOUNTS, ALERTS, DELETED, OTHER)
WORDINGS = {
    audit.LOGGED_IN: Wording(LOGINS, "logged in"),
    audit.LOGGED_OUT: Wording(LOGINS, "logged out"),
    audit.LOGIN_FAILED: Wording(LOGINS, "could not log in: wrong e-mail or password"),
    audit.CHECK_FAILED: Wording(LOGINS, "gave a wrong password"),
    audit.KEY_REFUSED: Wording(LOGINS, "sent no valid API key: {}"),
    audit.UNLOCKED: Wording(LOGINS, "unlocked the account {}"),
    audit.SESSIONS_ENDED: Wording(LOGINS, "ended logins of {}"),
    audit.LINK_MADE: Wording(ACCOUNTS, "made a link for {} to set a password"),
    audit.LINK_USED: Wording(ACCOUNTS, "set a password by a link"),
    audit.IMPORTED: Wording(FILES, "imported {}", IMPORT),
    audit.UNDONE: Wording(FILES, "undid the import of {}", IMPORT),
    audit.TRIGGERED: Wording(REPORTS, "made the report {}", REPORT),
    audit.DOCUMENT_REQUESTED: Wording(REPORTS, "made a document: {}"),
    audit.SCHEDULE_CHANGED: Wording(REPORTS, "changed the schedule {}"),
    audit.STATUS_PAGE_CHANGED: Wording(GROUPS, "changed the status page of {}"),
    audit.EDITED: Wording(STORES, "changed {}", STORE),
    audit.HOURS_CHANGED: Wording(STORES, "changed the hours of {}", STORE),
    audit.ZONE_CHANGED: Wording(STORES, "changed the time zone of {}", STORE),
    audit.HOURS_AND_ZONE_CHANGED: Wording(STORES, "changed the hours and time zone of {}", STORE),
    audit.ENTRY_CHANGED: Wording(STORES, "changed name, address, sales or dates of {}", STORE),
    audit.SALES_CHANGED: Wording(STORES, "changed the hourly sales of {}", STORE),
    audit.DATES_CHANGED: Wording(STORES, "changed the holidays and other dates of {}", STORE),
    audit.NOTE_WRITTEN: Wording(STORES, "wrote {}"),
    audit.NOTE_CHANGED: Wording(STORES, "changed {}"),
    audit.NOTE_DELETED: Wording(STORES, "deleted {}"),
    audit.GROUP_DATES_CHANGED: Wording(GROUPS, "changed the holidays and other dates of {}", GROUP),
    audit.GROUPS_CHANGED: Wording(GROUPS, "changed the group {}", GROUP),
    audit.TARGETS_CHANGED: Wording(GROUPS, "changed the target of {}"),
    audit.ACCOUNT_CHANGED: Wording(ACCOUNTS, "changed the account {}"),
    audit.ACCOUNT_DELETED: Wording(ACCOUNTS, "deleted the account {}"),
    audit.ACCOUNTS_RESET: Wording(ACCOUNTS, "removed all accounts ({})"),
    audit.KEY_CHANGED: Wording(ACCOUNTS, "changed the API key {}"),
    audit.CHANNELS_CHANGED: Wording(ALERTS, "changed the channel {}"),
    audit.RULES_CHANGED: Wording(ALERTS, "changed the alert rule {}"),
    audit.ACKNOWLEDGED: Wording(ALERTS, "acknowledged the alert {}"),
    audit.SENT_AGAIN: Wording(ALERTS, "sent again: {}"),
    audit.STORE_DELETED: Wording(DELETED, "deleted the store {}"),
    audit.POLLS_FORGOTTEN: Wording(DELETED, "deleted polls: {}"),
    audit.AUDIT_FORGOTTEN: Wording(DELETED, "deleted old lines of the audit: {}"),
    audit.DEMO_REMOVED: Wording(DELETED, "removed the demo stores"),
}
CSV_COLUMNS = ("at_utc", "actor", "action", "subject", "address", "what")


@dataclass(frozen=True)
class Line:
    """An entry in words. ``url`` is where the dashboard shows what it is about, if that is still
    there ("" otherwise)."""

    entry: AuditEntry
    kind: str
    what: str
    url: str = ""


@dataclass(frozen=True)
class AuditQuery:
    """The newest entries, at most ``limit`` (None: all), of a ``person`` (an actor's whole name)
    and of a ``kind`` (one of KINDS); None matches any. Raises BadRequest for an unknown kind."""

    person: str | None = None
    kind: str | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.kind is not None and self.kind not in KINDS:
            raise BadRequest(
                f"The kind {self.kind[:40]!r} is not known.", f"Use {', '.join(KINDS)}."
            )


def list_lines(query: AuditQuery) -> list[Line]:
    """The entries in words, newest first."""
    with database.session():
        return _describe(list(_select(query)))


def list_people() -> list[str]:
    """The names of all actors in the audit, in any case's order."""
    with database.session():
        found = database.tuples(AuditEntry.select(AuditEntry.actor).distinct())
        return sorted((name for (name,) in found), key=str.casefold)


def make_csv(query: AuditQuery) -> str:
    """The entries, newest first, as CSV with CSV_COLUMNS. Values that a spreadsheet would run as a
    formula begin with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    with database.session():
        for part in chunked(_select(query).iterator(), AT_ONCE):
            for line in _describe(part):
                entry = line.entry
                texts = (entry.actor, entry.action, entry.subject, entry.address, line.what)
                writer.writerow([as_text(entry.at), *map(no_formula, texts)])
    return out.getvalue()


def _select(query: AuditQuery) -> Any:
    found = AuditEntry.select().order_by(AuditEntry.id.desc()).limit(query.limit)
    if query.person is not None:
        found = found.where(AuditEntry.actor == query.person)
    if query.kind == OTHER:
        found = found.where(AuditEntry.action.not_in(list(WORDINGS)))
    elif query.kind is not None:
        actions = [action for action, wording in WORDINGS.items() if wording.kind == query.kind]
        found = found.where(AuditEntry.action.in_(actions))
    return found


def _describe(entries: Iterable[AuditEntry]) -> list[Line]:
    entries = list(entries)
    wanted: dict[str, set[str]] = {of: set() for of in READERS}
    for entry in entries:
        wording = WORDINGS.get(entry.action)
        if wording is not None and wording.of is not None:
            wanted[wording.of].add(entry.subject)
    names = {of: dict(READERS[of](sorted(ids))) for of, ids in wanted.items() if ids}
    return [_describe_one(entry, names) for entry in entries]


def _describe_one(entry: AuditEntry, names: Mapping[str, Mapping[str, str]]) -> Line:
    wording = WORDINGS.get(entry.action)
    if wording is None:
        return Line(entry, OTHER, f"{entry.action} {entry.subject}".strip())
    subject, url = entry.subject, ""
    if wording.of is not None:
        name = names[wording.of].get(subject)
        if name is not None:
            url = ADDRESSES[wording.of] + quote(subject, safe=":")
        elif wording.of in GONE:
            name = f"{GONE[wording.of]} {subject[:8]}, which is gone"
        subject = name or subject
    return Line(entry, wording.kind, wording.words.format(subject).strip(), url)


GONE = {IMPORT: "files of the import", REPORT: "with the id"}
"""What an import or a report is called whose row is deleted."""


def _name_imports(ids: list[str]) -> Iterator[tuple[str, str]]:
    for row in Import.select(Import.id, Import.files).where(Import.id.in_(ids)):
        yield row.id, ", ".join(file["name"] for file in row.files) or "no file"


def _name_reports(ids: list[str]) -> Iterator[tuple[str, str]]:
    for row in Report.select().where(Report.id.in_(ids)):
        described = report_details.describe(row)
        part = described["group"] or described["store_id"]
        window = describe_window(row.window, row.as_of)
        yield row.id, f"“{window}{f', {part}' if part else ''}”"


def _name_stores(ids: list[str]) -> Iterator[tuple[str, str]]:
    query = Store.select(Store.store_id, StoreDirectory.name)
    query = query.left_outer_join(StoreDirectory).where(Store.store_id.in_(ids))
    for store_id, name in database.tuples(query):
        yield store_id, store_label(store_id, name)


def _name_groups(names: list[str]) -> Iterator[tuple[str, str]]:
    same = {same_name(name): name for name in names}
    for row in Group.select(Group.name, Group.same_name).where(Group.same_name.in_(list(same))):
        yield same[row.same_name], row.name


READERS: dict[str, Callable[[list[str]], Iterator[tuple[str, str]]]] = {
    IMPORT: _name_imports,
    REPORT: _name_reports,
    STORE: _name_stores,
    GROUP: _name_groups,
}
