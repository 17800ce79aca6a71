"""A document's life: requested → Running → Complete or Failed, as a report's.

The row in the database is the truth. The file is in the documents folder under the document's id.
"""

import re
from dataclasses import dataclass
from typing import Any

from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.formatting import Style
from restmon.core.instants import as_text
from restmon.core.timeline import NEAREST
from restmon.documents import finding, pdf
from restmon.documents.finding import Finding, Question
from restmon.documents.periods import LAST_WEEK, check_period
from restmon.errors import BadRequest, NotFound, RestmonError
from restmon.ingest.values.zones import why_not_a_zone, zone_name
from restmon.leasing import jobs, leases
from restmon.reporting.computation import check_method
from restmon.reporting.scopes import Scope, choose_as_of, find_scope, read_scope
from restmon.reporting.style import read_style
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.document_models import Document
from restmon.storage.files import Kind

PDF, XLSX, CSV = "pdf", "xlsx", "csv"
TYPES = {
    PDF: pdf.TYPE,
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    CSV: "text/csv; charset=utf-8",
}
"""The media type of each form."""
UNSAFE = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a document: its ``form``, its ``period`` in words, the name of a ``group``
    or the id of a store, ``each_store`` for half a page of every store (PDF), the ``paper`` (None:
    that of the settings), and the ``zone`` of the calendar (None: that of most stores)."""

    form: str = PDF
    period: str = LAST_WEEK
    group: str | None = None
    store_id: str | None = None
    each_store: bool = False
    paper: str | None = None
    zone: str | None = None
    as_of: int | None = None
    method: str = NEAREST


def check_form(form: str) -> str:
    """Return the form. Raises BadRequest for one that is not known."""
    if form not in TYPES:
        raise BadRequest(f"The format {form[:20]!r} is not known.", f"Use {', '.join(TYPES)}.")
    return form


def check_zone(name: str | None) -> str | None:
    """Return the IANA name of a zone, None for none. Raises BadRequest for one that is not
    known."""
    text = (name or "").strip()
    if not text:
        return None
    raw = text.encode("utf-8", "replace")
    found = zone_name(raw)
    if found is None:
        raise BadRequest(f"The time zone {text[:40]!r} cannot be used.", f"{why_not_a_zone(raw)}.")
    return found


def request(
    wanted: Wanted = Wanted(), requested_by: str = "api", actor: Actor = THIS_MACHINE
) -> Document:
    """Insert a document as Running, of stores that the actor sees. The caller enqueues its id.

    Raises NoPolls if there is nothing to report on, NotFound for an unknown group or store,
    BadRequest for what is not valid, and Forbidden.
    """
    actor.must(Role.OWNER)
    values = check(wanted, actor)
    with database.updating():
        return jobs.record(Document, actor, requested_by, **values)


def check(wanted: Wanted, actor: Actor) -> dict[str, Any]:
    """Return the columns of a document. Raises what `request` raises."""
    check_method(wanted.method)
    scope = find_scope(actor, wanted.group, wanted.store_id)
    with database.reading():
        choose_as_of(scope, wanted.as_of)
        if wanted.each_store and wanted.form == PDF:
            finding.check_pages(len(read_scope(scope).ids))
    return {
        "form": check_form(wanted.form),
        "paper": pdf.check_paper(wanted.paper or get_settings().paper),
        "period": check_period(wanted.period),
        "zone": check_zone(wanted.zone),
        "scope": scope.words,
        "each_store": wanted.each_store,
        "as_of": wanted.as_of,
        "method": wanted.method,
    }


def get(document_id: str, actor: Actor = THIS_MACHINE) -> Document:
    """The document's row. Raises NotFound, also if the actor may not see it."""
    return jobs.get(Document, document_id, actor)


def list_recent(limit: int = 50, actor: Actor = THIS_MACHINE) -> list[Document]:
    """The newest documents that the actor sees, newest first."""
    return jobs.list_recent(Document, actor, limit)


def key_of(document: Document) -> str:
    """The key of a document's file (`files.Kind.DOCUMENT`)."""
    return f"{document.id}.{document.form}"


def file_name(document: Document) -> str:
    """The name under which a document is downloaded."""
    return f"{document.title or 'restmon'}.{document.form}"


def read_file(document: Document) -> bytes:
    """The file of a complete document. Raises NotFound if it is gone, and RestmonError if it is
    damaged or cannot be read."""
    try:
        content = files.read(Kind.DOCUMENT, key_of(document))
    except FileNotFoundError:
        raise NotFound(
            f"The file of document {document.id} is no longer in {files.where(Kind.DOCUMENT)}.",
            "Make the document anew.",
        ) from None
    except OSError as error:
        raise RestmonError(
            f"The file of document {document.id} cannot be read: {error.strerror or error}.",
            "Make the documents folder readable, or make the document anew.",
        ) from None
    if document.size is not None and len(content) != document.size:
        raise RestmonError(
            f"The file of document {document.id} is damaged.", "Make the document anew."
        )
    return content


def work(document_id: str) -> bool:
    """Take a document and make it. Returns whether this call held it to the end."""
    lease = leases.take(Document, document_id)
    return lease is not None and leases.carry_out(lease, _work)


def _work(lease: leases.Lease) -> None:
    document = lease.job
    assert isinstance(document, Document)  # noqa: S101 - for the type checker
    asked = Question(
        Scope.on_record(document.groups, document.scope),
        document.period,
        document.as_of,
        document.method,
        document.zone,
        document.each_store and document.form == PDF,
    )
    found = finding.find(asked, lease.report_progress)
    content = write(found, document.form, read_style(), document.paper)
    facts = {
        "as_of": found.as_of,
        "stores": found.count,
        "size": len(content),
        "demo": found.details.stores.demo,
        "title": make_title(found),
    }
    key = key_of(document)
    with files.prepare(Kind.DOCUMENT, key, content) as keep, database.updating():
        # The row comes first: a worker that lost its lease must not touch another's file.
        lease.complete(**facts)
        keep()


def write(found: Finding, form: str, style: Style, paper: str) -> bytes:
    """A finding in a form. Raises BadRequest where the form has no room for it."""
    if form == XLSX:
        from restmon.documents.workbook import make_document_workbook  # noqa: PLC0415

        return make_document_workbook(found, style)
    if form == CSV:
        return found.table.csv().encode()
    return pdf.make_pdf(found, style, paper)


def make_title(found: Finding) -> str:
    """The name of a finding's file, without its end: ASCII letters, digits and hyphens."""
    name = UNSAFE.sub("-", found.title).strip("-")[:60].strip("-") or "stores"
    first, last = found.period.first, found.period.last
    when = UNSAFE.sub("-", found.period.words).strip("-")
    if first is not None and last is not None:
        when = f"{first}" if first == last else f"{first}-to-{last}"
    return f"restmon-{name}-{when}"


def describe(document: Document) -> dict[str, object]:
    """A document's state, as the API and the pages show it."""
    scope = Scope.on_record(document.groups, document.scope)
    return {
        "document_id": document.id,
        **jobs.describe(document),
        "format": document.form,
        "window": document.period,
        "group": scope.group,
        "store_id": scope.store,
        "as_of": None if document.as_of is None else as_text(document.as_of),
        "method": document.method,
    }
