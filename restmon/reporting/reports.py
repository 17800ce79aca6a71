"""A report's life: requested → Running → Complete or Failed.

The row in the database is the truth. The CSV is a file under the report's id (`storage.files`).
"""

import io
from collections.abc import Hashable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from restmon.access import visibility
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import SECOND, as_text
from restmon.core.timeline import NEAREST
from restmon.errors import BadRequest, NotFound, RestmonError
from restmon.leasing import jobs, leases
from restmon.reporting import computation, report_details, shards, sources
from restmon.reporting.computation import COLUMNS, HEADER, ReportData, check_method
from restmon.reporting.details_table import make_table
from restmon.reporting.scopes import Scope, choose_as_of, find_scope, mask_ids, read_scope
from restmon.reporting.snapshot import current_revision
from restmon.reporting.windows import parse_window
from restmon.storage import database, files
from restmon.storage.files import Kind
from restmon.storage.models import FAILED, RUNNING, Report, Shard

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Part:
    """The part of the data that a report is limited to: a window in words (`windows.NAMES`; none:
    the windows of the seven columns), and a group (its name) or a store (its id)."""

    words: Mapping[str, str | None] = field(default_factory=dict)
    group: str | None = None
    store_id: str | None = None


EVERYTHING = Part()


def request(
    as_of: int | None = None,
    method: str = NEAREST,
    requested_by: str = "api",
    actor: Actor = THIS_MACHINE,
    part: Part = EVERYTHING,
) -> Report:
    """Insert a report as Running, for the stores the actor sees or a part of them, as of an instant
    (None: the newest poll of the stores the actor sees). The caller enqueues its id.

    Raises NoPolls if there is nothing to report on, NotFound for an unknown group or store,
    BadRequest for a window that is not valid, and Forbidden.
    """
    actor.must(Role.OWNER)
    check_method(method)
    window = parse_window(part.words)
    scope = find_scope(actor, part.group, part.store_id)
    with database.reading():
        instant = choose_as_of(scope, as_of)
        if window is not None:
            stores = read_scope(scope)
            window = window.pin(instant, stores.zones, stores.zone_of_store)
            window.of_stores(instant, stores.zones, stores.zone_of_store)
    values = {
        "as_of": as_of,
        "method": method,
        "window": None if window is None else dict(window.words),
        "scope": scope.words,
    }
    with database.updating():
        return jobs.record(Report, actor, requested_by, **values)


def get(report_id: str, actor: Actor = THIS_MACHINE) -> Report:
    """The report's row. Raises NotFound, also if the actor may not see it."""
    return jobs.get(Report, report_id, actor)


def list_recent(limit: int = 50, actor: Actor = THIS_MACHINE) -> list[Report]:
    """The newest reports that the actor sees, newest first."""
    return jobs.list_recent(Report, actor, limit)


def csv_key(report_id: str) -> str:
    """The key of a report's CSV (`files.Kind.REPORT`)."""
    return f"{report_id}.csv"


def find_mark(report: Report) -> Hashable:
    """What changes when the CSV of a complete report is another one, or is gone."""
    return files.find(Kind.REPORT, csv_key(report.id))


def read_csv(report: Report) -> bytes:
    """The CSV of a complete report. Raises BadRequest if the report has its own window, NotFound if
    the file is gone, and RestmonError if it is damaged or cannot be read."""
    if report.window is not None:
        raise BadRequest(
            f"Report {report.id} is of a window of its own, which the seven columns do not have.",
            "Ask for its details (format=details, xlsx or json).",
        )
    try:
        content = files.read(Kind.REPORT, csv_key(report.id))
    except FileNotFoundError:
        raise NotFound(
            f"The CSV of report {report.id} is no longer in {files.where(Kind.REPORT)}.",
            "Trigger a new report.",
        ) from None
    except OSError as error:
        raise RestmonError(
            f"The CSV of report {report.id} cannot be read: {error.strerror or error}.",
            "Make the reports folder readable, or trigger a new report.",
        ) from None
    if report.size is not None and len(content) != report.size:
        raise _explain_damage(report)
    return content


def _explain_damage(report: Report) -> RestmonError:
    return RestmonError(
        f"The CSV of report {report.id} is damaged.", "Trigger a new report and use that."
    )


def read_table(report: Report) -> "pd.DataFrame":
    """The CSV of a complete report: ``store_id`` as text, the six numbers as float64.

    Raises NotFound if the file is gone, RestmonError if it is damaged.
    """
    import pandas as pd  # noqa: PLC0415 - a report is computed without it

    content = read_csv(report)
    types = {"store_id": "str", **dict.fromkeys(COLUMNS, "float64")}
    try:
        found = pd.read_csv(io.BytesIO(content), dtype=types, keep_default_na=False)
    except ValueError:
        raise _explain_damage(report) from None
    if list(found.columns) != HEADER.split(","):
        raise _explain_damage(report)
    return found


def work(report_id: str) -> bool:
    """Take a report and carry it out, or split a report of many stores into shards (see
    :mod:`restmon.reporting.shards`). Returns whether this call held it to the end."""
    lease = leases.take(Report, report_id)
    return lease is not None and leases.carry_out(lease, _work)


def _work(lease: leases.Lease) -> None:
    report = lease.job
    assert isinstance(report, Report)  # noqa: S101 - for the type checker
    if report.window is not None:
        _work_on_details(lease, report)
        return
    parts = shards.list_shards(report.id)
    if parts and all(part.status != RUNNING for part in parts):
        _join(lease, parts)
    elif parts or shards.split(report):
        lease.release()
    else:
        source = sources.choose_source(report.groups)
        # Read before the data, so that a change in between counts as a later one.
        revision = current_revision()
        data = computation.compute(report.as_of, report.method, lease.report_progress, source)
        with database.reading():
            text, stores = render(data, report)
        facts = {"as_of": data.as_of, "stores": stores, "demo": data.stores.demo}
        finish(lease, csv_key(report.id), text.encode(), data_revision=revision, **facts)


def _work_on_details(lease: leases.Lease, report: Report) -> None:
    """Compute a report with its own window, which has only details."""
    revision = current_revision()
    found = report_details.compute(report, lease.report_progress)
    text = make_table(found).as_json().encode()
    facts = {"as_of": found.as_of, "stores": len(found.stores.ids), "demo": found.stores.demo}
    finish(lease, report_details.key_of(report.id), text, data_revision=revision, **facts)


def render(data: ReportData, report: Report) -> tuple[str, int]:
    """The text of a report and the number of its stores, limited to its groups, and to its group or
    store. The caller holds a read transaction."""
    wanted = None
    if report.groups is not None:
        wanted = visibility.mask_stores(report.groups, data.stores.ids)
    own = mask_ids(Scope.on_record(report.groups, report.scope), data.stores.ids)
    if own is not None:
        wanted = own
    text = data.csv(wanted)
    return text, text.count("\n") - 1


def work_shard(shard_id: str) -> str | None:
    """Take a shard and carry it out.

    Returns the id of its report if that needs work next: all of its shards are done, or it must be
    split again. Returns None if other shards still run, or if this call did not hold the shard.
    """
    lease = leases.take(Shard, shard_id)
    if lease is None or not leases.carry_out(lease, _work_shard):
        return None
    shard = lease.job
    assert isinstance(shard, Shard)  # noqa: S101 - for the type checker
    return shard.report_id if shards.update_progress(shard.report_id) else None


def _work_shard(lease: leases.Lease) -> None:
    shard = lease.job
    assert isinstance(shard, Shard)  # noqa: S101 - for the type checker
    with database.reading():
        unchanged = shards.is_unchanged_since(shard.data_revision, shard.as_of)
        if unchanged:
            stores = shards.StoreRange(shard.first, shard.end)
            report = get(shard.report_id)
            data = computation.compute(shard.as_of, report.method, lease.report_progress, stores)
            lines, count = render(data, report)
    if not unchanged:
        shards.give_back(shard.report_id)
        return
    text = lines.removeprefix(f"{HEADER}\n").encode()
    key = shards.part_key(shard)
    with files.prepare(Kind.PART, key, text) as keep, database.updating():
        lease.complete(stores=count, size=len(text), demo=data.stores.demo)
        keep()


def _join(lease: leases.Lease, parts: list[Shard]) -> None:
    """Join the parts, in order, to the report's CSV."""
    for part in parts:
        if part.status == FAILED:
            raise RestmonError(part.error or "A part of the report failed.")
    text = b"".join([f"{HEADER}\n".encode(), *map(_read_part, parts)])
    facts = {
        "as_of": parts[0].as_of,
        "stores": sum(part.stores or 0 for part in parts),
        "demo": any(part.demo for part in parts),
        "data_revision": parts[0].data_revision,
    }
    finish(lease, csv_key(lease.job.id), text, **facts)
    with suppress(OSError):  # the clean-up deletes them later
        shards.delete_parts(lease.job.id)


def _read_part(part: Shard) -> bytes:
    key = shards.part_key(part)
    try:
        return files.read(Kind.PART, key)
    except FileNotFoundError:
        raise RestmonError(
            f"The part {key} of the report is no longer in {files.where(Kind.PART)}.",
            "Trigger a new report.",
        ) from None


def finish(lease: leases.Lease, key: str, text: bytes, **facts: Any) -> None:
    """Store a report's file and mark the report complete with its values, both or neither. Raises
    LeaseLost, RestmonError."""
    with files.prepare(Kind.REPORT, key, text) as keep, database.updating():
        # The row comes first: a worker that lost its lease must not touch another's file.
        lease.complete(size=len(text), **facts)
        keep()


def describe(report: Report) -> dict[str, object]:
    """A report's state, as the API and the pages show it."""
    return {
        "report_id": report.id,
        **jobs.describe(report),
        "as_of": None if report.as_of is None else as_text(report.as_of),
        "method": report.method,
        **report_details.describe(report),
    }


def measure_seconds(report: Report) -> float | None:
    """How long the last attempt took, in seconds."""
    if report.finished_at is None or report.started_at is None:
        return None
    return float((report.finished_at - report.started_at) / SECOND)
