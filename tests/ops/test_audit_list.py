"""The audit in words: names, links, filters, CSV; on the page, by the API and the command line."""

import csv
import io

import pytest

from restmon.access import api_keys, audit
from restmon.access.roles import Actor, Role
from restmon.errors import BadRequest
from restmon.ingest import hours_editing, imports, incoming_files, store_editing
from restmon.ops import audit_list
from restmon.ops.audit_list import AuditQuery, list_lines
from restmon.reporting import reports
from restmon.storage import database
from restmon.storage.access_models import AuditEntry
from restmon.storage.models import Import
from restmon.stores import groups, targets
from tests.support import wsgi
from tests.support.pages import html_rows, page, seen
from tests.support.workspace import POLLS_HEADER, Workspace

ANN = Actor("ann@example.com", Role.OPERATOR, address="192.0.2.7")
BOB = Actor("bob@example.com", Role.OPERATOR)


@pytest.fixture
def busy(workspace: Workspace) -> Workspace:
    """Ann imported, edited and deleted; Bob made a report and groups."""
    path = workspace.write(
        "polls & more.csv", f"{POLLS_HEADER}a:1,active,2023-01-25 18:00:00 UTC\n"
    )
    row = imports.request(
        [incoming_files.source_file("polls", path)], "dashboard", ANN, resumable=False
    )
    imports.work(row.id)
    hours_editing.set_hours("a:1", [("0", "09:00", "17:00")], ANN)
    store_editing.save_entry("a:1", {"name": "Main Street Deli"}, ANN)
    groups.create("Brand A", BOB)
    groups.create("Brand B", BOB)
    groups.delete("Brand B", BOB)
    targets.set_target(targets.Subject(group="Brand A"), 995_000, BOB)
    reports.request(part=reports.Part({"month": "2023-01"}, "Brand A"), actor=BOB)
    return workspace


def said(**query: str) -> list[str]:
    return [line.what for line in list_lines(AuditQuery(**query))]


@pytest.mark.both_databases
def test_what_was_done_is_said_with_names_and_links(busy: Workspace):
    made, (imported,) = reports.list_recent()[0], imports.list_recent()
    found = [(line.entry.actor, line.what, line.url) for line in list_lines(AuditQuery())]
    deli = "Main Street Deli (a:1)"
    assert found == [
        (
            BOB.name,
            "made the report “January 2023, Brand A”",
            f"/reports?report={made.id}",
        ),
        (BOB.name, "changed the target of group Brand A: 99.5 %", ""),
        (BOB.name, "changed the group Brand B", ""),
        (BOB.name, "changed the group Brand B", ""),
        (BOB.name, "changed the group Brand A", "/settings?part=Groups&edit=Brand%20A"),
        (ANN.name, f"changed name, address, sales or dates of {deli}", "/store?store=a:1"),
        (ANN.name, f"changed the hours of {deli}", "/store?store=a:1"),
        (ANN.name, "imported polls & more.csv", f"/upload?import={imported.id}"),
    ]


def test_what_is_gone_has_no_link(busy: Workspace):
    (row,) = imports.list_recent()
    with database.writing():
        Import.delete().execute()
        AuditEntry.create(actor="ann", action=audit.HOURS_CHANGED, subject="gone")
    newest, *_, oldest = list_lines(AuditQuery())
    assert (newest.what, newest.url) == ("changed the hours of gone", "")
    assert oldest.what == f"imported files of the import {row.id[:8]}, which is gone"
    assert oldest.url == ""


def test_entries_are_filtered_by_person_and_kind(busy: Workspace):
    assert audit_list.list_people() == [ANN.name, BOB.name]
    assert len(said(person=ANN.name)) == 3
    assert said(person=ANN.name, kind="Imports") == ["imported polls & more.csv"]
    assert said(kind="Other") == []
    assert sum(len(said(kind=kind)) for kind in audit_list.KINDS) == len(said())
    with pytest.raises(BadRequest, match="'Nonsense' is not known"):
        AuditQuery(kind="Nonsense")


def test_every_action_has_its_words():
    named = {
        value for name, value in vars(audit).items() if name.isupper() and isinstance(value, str)
    }
    assert named == set(audit_list.WORDINGS)
    assert {wording.kind for wording in audit_list.WORDINGS.values()} < set(audit_list.KINDS)
    assert all(len(action) <= 32 for action in named)


def test_the_page_shows_names_and_links_and_filters(busy: Workspace):
    at = page("access", access_part="Audit")
    rows = html_rows(at)
    assert rows[-1]["Who"] == ANN.name
    assert rows[-1]["What"] == "imported polls & more.csv"
    assert rows[-1]["href"].startswith("/upload?import=")
    assert rows[-1]["From"] == "192.0.2.7"
    at = page("access", access_part="Audit", who=BOB.name, what="Reports")
    assert [row["Who"] for row in html_rows(at)] == [BOB.name]
    at = page("access", access_part="Audit", what="Alerts")
    assert "Nothing matches these filters." in seen(at)


def test_command_line_and_csv_say_the_same(busy: Workspace):
    text = busy.command("audit", "--person", ANN.name, "--kind", "imports").stdout
    assert text.rstrip().endswith(f"{ANN.name} imported polls & more.csv from 192.0.2.7")
    rows = list(csv.DictReader(io.StringIO(busy.command("audit", "--format", "csv").stdout)))
    assert [row["what"] for row in rows] == said()


def test_the_api_gives_it_to_operators(busy: Workspace):
    found = wsgi.get("/audit", person=ANN.name, limit=2)["entries"]
    assert [entry["what"] for entry in found] == said(person=ANN.name)[:2]
    assert found[0]["page"] == "/store?store=a:1"
    assert found[0]["kind"] == "Stores"
    assert "is not" in wsgi.refused("/audit", 400, kind="Nonsense")
    text = wsgi.ask("/audit", format="csv", kind="Imports").text
    assert [row["what"] for row in csv.DictReader(io.StringIO(text))] == said(kind="Imports")
    key = api_keys.make("looks", "viewer")
    assert wsgi.ask("/audit", "GET", key).status_code == 403


def test_names_from_outside_are_no_markup(workspace: Workspace):
    with database.writing():
        AuditEntry.create(actor="<b>x", action="did", subject="<script>{}</script>")
    (line,) = list_lines(AuditQuery())
    assert line.what == "did <script>{}</script>"
    (row,) = html_rows(page("access", access_part="Audit"))
    assert (row["Who"], row["What"]) == ("<b>x", line.what)
