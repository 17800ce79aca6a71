"""What is kept for a time only: reports, imports and the audit, rows and files together."""

import csv
import io
import itertools
import json
from typing import Any

import pytest

from jobs.tasks import keep_house
from restmon.access import audit
from restmon.core.instants import DAY
from restmon.ops import cleanup, housekeeping
from restmon.reporting import reports, shards
from restmon.settings import get_settings
from restmon.storage import files
from restmon.storage.access_models import AuditEntry
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, FAILED, RUNNING, Import, Report, Shard, now
from tests.support import kept
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

KEPT_DAYS = {Report: 90, Import: 365}
POLLS = "a,active,2023-01-23 16:14:00 UTC\na,inactive,2023-01-23 17:15:00 UTC\n"


KINDS = {Report: Kind.REPORT, Import: Kind.REJECTED}


def make(model: Any, status: str, days_old: float, *, with_file: bool = True) -> Any:
    """A job that ended so many days ago, with its file."""
    ended = None if status == RUNNING else now() - round(days_old * DAY)
    row = model.create(status=status, requested_at=now() - round(days_old * DAY), finished_at=ended)
    if with_file:
        kept.put(KINDS[model], f"{row.id}.csv", days_old)
    return row


def there(model: Any, row: Any) -> tuple[bool, bool]:
    """Whether the row is there, and its file."""
    return model.find(row.id) is not None, kept.exists(KINDS[model], f"{row.id}.csv")


def test_rows_and_files_go_together_when_their_time_is_over(workspace: Workspace):
    cases = list(
        itertools.product(
            KEPT_DAYS, (RUNNING, COMPLETE, FAILED), (-1.0, -0.01, 0.01, 400.0), (False, True)
        )
    )
    rows = [
        make(model, status, KEPT_DAYS[model] + days, with_file=file)
        for model, status, days, file in cases
    ]
    housekeeping.clean()
    for (model, status, days, file), row in zip(cases, rows, strict=True):
        kept = status == RUNNING or days < 0
        assert there(model, row) == (kept, kept and file), (model, status, days, file)
    assert housekeeping.clean() == housekeeping.Cleaned(0, 0, 0, 0)


@pytest.mark.parametrize("suffix", [".csv", ".zip"])
def test_the_rejected_lines_of_several_tables_go_with_their_import(
    workspace: Workspace, suffix: str
):
    rows = {days: make(Import, COMPLETE, days, with_file=False) for days in (366, 364)}
    keys = {
        days: kept.put(Kind.REJECTED, f"{row.id}{suffix}", days + 1) for days, row in rows.items()
    }
    assert housekeeping.clean() == housekeeping.Cleaned(0, 1, 0, 1)
    assert {days for days, key in keys.items() if kept.exists(Kind.REJECTED, key)} == {364}
    assert there(Import, rows[366])[0] is False


@pytest.mark.parametrize("model", KEPT_DAYS)
def test_more_than_are_deleted_at_once(workspace: Workspace, monkeypatch: Any, model: Any):
    monkeypatch.setattr(housekeeping, "AT_ONCE", 3)
    rows = [make(model, COMPLETE, 1000) for _ in range(10)]
    done = housekeeping.clean()
    assert done.files == 10
    assert done.reports + done.imports == 10
    assert [there(model, row) for row in rows] == [(False, False)] * 10


@pytest.mark.parametrize("model", KEPT_DAYS)
def test_a_crash_between_row_and_file_leaves_nothing_half_done(
    workspace: Workspace, monkeypatch: Any, model: Any
):
    row = make(model, COMPLETE, 1000)

    real = housekeeping._orphans

    def dies(kind: Any, *rest: Any) -> Any:
        if kind is model:
            raise KeyboardInterrupt
        return real(kind, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(housekeeping, "_orphans", dies)
        with pytest.raises(KeyboardInterrupt):
            housekeeping.clean()
    # Nobody can ask for it any more, and the next run deletes the file.
    assert there(model, row) == (False, True)
    done = housekeeping.clean()
    assert (done.reports, done.imports, done.files) == (0, 0, 1)
    assert there(model, row) == (False, False)


@pytest.mark.parametrize("model", KEPT_DAYS)
def test_where_files_cannot_be_deleted_their_rows_stay(
    workspace: Workspace, monkeypatch: Any, model: Any
):
    row = make(model, COMPLETE, 1000)
    monkeypatch.setattr(housekeeping.files, "can_delete", lambda _: False)
    housekeeping.clean()
    assert there(model, row) == (True, True)


@pytest.mark.parametrize("model", KEPT_DAYS)
def test_files_that_are_young_or_no_reports_are_left_alone(workspace: Workspace, model: Any):
    unknown = kept.put(KINDS[model], f"{'0' * 32}.csv", KEPT_DAYS[model] - 1)
    notes = kept.put(KINDS[model], "my notes.csv", 5000)
    housekeeping.clean()
    assert kept.exists(KINDS[model], unknown)
    assert kept.exists(KINDS[model], notes)


def test_the_shards_of_a_report_go_with_it(workspace: Workspace):
    old, young = make(Report, COMPLETE, 1000), make(Report, COMPLETE, 1)
    for report in (old, young):
        Shard.create(report=report, number=0, first="a", as_of=0, data_revision=0)
    housekeeping.clean()
    assert [shard.report_id for shard in Shard.select()] == [young.id]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("RESTMON_KEEP_REPORTS_DAYS", "0"),
        ("RESTMON_KEEP_IMPORTS_DAYS", "-1"),
        ("RESTMON_KEEP_AUDIT_DAYS", "1"),
        ("RESTMON_KEEP_REPORTS_DAYS", "soon"),
    ],
)
def test_a_time_that_makes_no_sense_is_one_sentence(workspace: Workspace, setting: str, value: str):
    done = workspace.command("status", env={setting: value})
    assert done.returncode == 2
    assert f"{setting}={value!r}" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_nightly_task_obeys_the_settings(
    workspace: Workspace, monkeypatch: Any, caplog: pytest.LogCaptureFixture
):
    for name in ("REPORTS", "IMPORTS"):
        monkeypatch.setenv(f"RESTMON_KEEP_{name}_DAYS", "7")
    get_settings.cache_clear()
    gone = [make(model, COMPLETE, 8) for model in KEPT_DAYS]
    kept = [make(model, COMPLETE, 6) for model in KEPT_DAYS]
    with caplog.at_level("INFO"):
        keep_house.call_local()
    assert [there(type(row), row) for row in gone] == [(False, False)] * 2
    assert [there(type(row), row) for row in kept] == [(True, True)] * 2
    assert "housekeeping reports=1 imports=1 audit_entries=0 files=2" in caplog.text


# The audit


def test_old_audit_entries_go_and_that_is_on_record(workspace: Workspace):
    AuditEntry.delete().execute()
    for days in (731, 1000, 729, 0):
        AuditEntry.create(at=now() - days * DAY, actor="ann", action="did", subject=str(days))
    assert housekeeping.clean().audit_entries == 2
    found = [(e.actor, e.action, e.subject.split()[0]) for e in audit.list_recent()]
    assert found == [
        ("restmon", audit.AUDIT_FORGOTTEN, "2"),
        ("ann", "did", "0"),
        ("ann", "did", "729"),
    ]
    assert housekeeping.clean().audit_entries == 0


def test_the_audit_is_exported_whole(workspace: Workspace):
    AuditEntry.delete().execute()
    subjects = ["=1+1", "@x", "plain", 'with "quotes", commas', "☃"] + ["many"] * 200
    for n, subject in enumerate(subjects):
        AuditEntry.create(at=n, actor="ann", action="did", subject=subject, address="192.0.2.7")
    out = workspace.path / "audit.csv"
    done = workspace.command("audit", "--format", "csv", "--output", out)
    assert done.returncode == 0, done.stderr
    rows = list(csv.reader(io.StringIO(out.read_text())))
    assert rows[0] == ["at_utc", "actor", "action", "subject", "address", "what"]
    assert len(rows) == 1 + len(subjects)
    told = {row[3] for row in rows}
    assert {"'=1+1", "'@x", "plain", 'with "quotes", commas', "☃"} <= told
    first = ["1970-01-01 00:00:00.000000 UTC", "ann", "did", "'=1+1", "192.0.2.7", "did =1+1"]
    assert rows[-1] == first
    printed = workspace.command("audit", "--format", "csv", "--limit", "2").stdout
    assert len(printed.splitlines()) == 3
    refused = workspace.command("audit", "--output", out)
    assert refused.returncode == 2
    blocked = workspace.command("audit", "--format", "csv", "--output", out / "below")
    assert (blocked.returncode, "Traceback" in blocked.stderr) == (2, False)


# Folders of parts


@pytest.mark.parametrize("status", [RUNNING, COMPLETE, FAILED, "deleted"])
def test_parts_that_nobody_will_join_are_deleted(workspace: Workspace, status: str):
    row = make(Report, RUNNING if status == "deleted" else status, 1)
    shard = Shard.create(report=row, number=0, first="a", as_of=0, data_revision=0)
    current = kept.put(Kind.PART, shards.part_key(shard), 2)
    kept.put(Kind.PART, f"{row.id}/00000-{'0' * 32}.csv", 2)
    fresh = kept.put(Kind.PART, f"{row.id}/00001-{'1' * 32}.csv", 0)
    if status == "deleted":
        row.delete_instance(recursive=True)
    assert cleanup.clean() == (1 if status == RUNNING else 2)
    # A worker may have written the last one just now.
    assert kept.keys(Kind.PART) == [*([current] if status == RUNNING else []), fresh]


# Telling


def test_status_tells_what_each_takes(workspace: Workspace):
    workspace.import_now(POLLS + "a,sideways,2023-01-23 18:14:00 UTC\n")
    report = reports.request()
    reports.work(report.id)
    found = json.loads(workspace.command("status", "--json").stdout)["space"]
    for name, rows in (("reports", 1), ("imports", 1), ("audit", 2)):
        assert found[name]["rows"] == rows
        assert found[name]["database_bytes"] > 20
    stored = files.find(Kind.REPORT, reports.csv_key(report.id))
    assert stored is not None
    assert found["reports"]["file_bytes"] == stored.packed
    assert found["imports"]["file_bytes"] > 20
    assert found["audit"]["file_bytes"] == 0
    text = workspace.command("status").stdout
    assert f"1 in all, {found['reports']['database_bytes']:,} bytes in the database" in text
    assert f"{found['reports']['file_bytes']:,} in files" in text
    assert "audit      2 entries" in text
