"""Imports files into the database (SEMANTICS.md, "Inputs").

An import has two phases. *Reading* parses and checks every line and stages the good ones in sorted
chunks in a temporary folder. Memory is bounded by the chunk, and the database does not change.
*Writing* is one transaction of everything, also of the import's own row.
"""

import logging
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from peewee import PeeweeException, chunked

from restmon.core.findings import count_of, have
from restmon.core.keys import distinct
from restmon.ingest.allowed import EVERYTHING, Allowed
from restmon.ingest.former_hours import HOURS, UNREADABLE, ZONES, former_hours
from restmon.ingest.headers import (
    BUSINESS_HOURS,
    POLLS,
    TIMEZONES,
    column_positions,
)
from restmon.ingest.merging import compare_hours, compare_zones, last_file_counts
from restmon.ingest.poll_lines import PollLines
from restmon.ingest.poll_reasons import (
    count_same_polls,
    has_reasons,
    replace_reasons,
)
from restmon.ingest.rejected import RejectedLines
from restmon.ingest.results import Counts, Result
from restmon.ingest.staging import SourceFile, Staging
from restmon.ingest.tables import read_header
from restmon.storage import database
from restmon.storage import files as stored_files
from restmon.storage.changes import STORES, ChangeLog
from restmon.storage.demo_rows import remove_demo
from restmon.storage.models import Store
from restmon.storage.revisions import new_revision

STAGING_PREFIX = "import-"
LARGE = 100_000
FEW_STORES = 500
"""Up to this many stores are looked up one by one; otherwise all are read."""
READING, WRITING = "reading", "writing"

log = logging.getLogger(__name__)

StageProgress = Callable[[str, int, int], None]
Ints = NDArray[np.int64]


def check_header(file: SourceFile) -> None:
    """Raise :class:`~restmon.errors.FileRejected` unless the table has the kind's columns."""
    header = read_header(file.source, file.name, [file.kind], file.choices.columns)
    column_positions(header, file.kind, file.name)


@dataclass(frozen=True, kw_only=True)
class ImportTerms:
    """What an import accepts.

    ``spool`` is a folder for intermediate files. Rejected lines are stored, and replaced rows
    recorded, for the import ``import_id``. Demo data are removed first, unless ``demo``.
    """

    spool: Path
    import_id: str | None = None
    demo: bool = False
    allowed: Allowed = EVERYTHING


def import_files(
    files: Sequence[SourceFile],
    terms: ImportTerms,
    progress: StageProgress | None = None,
    finish: Callable[[Result], None] | None = None,
) -> Result:
    """Import files in one transaction: all of their good lines, or none.

    ``progress`` is called with (stage, done, total): bytes of all files while reading, lines of
    polls while writing. ``finish`` is called with the result inside the transaction.

    Raises :class:`~restmon.errors.FileRejected` if a file is rejected whole. Then nothing has
    changed.
    """
    terms.spool.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=terms.spool))
    rejected = RejectedLines(folder)
    try:
        for file in files:
            check_header(file)
        staging = Staging(folder, rejected, terms.allowed)
        sizes = [file.path.stat().st_size for file in files]
        for i, file in enumerate(files):
            before = sum(sizes[:i])

            def report(done: int, _: int, before: int = before) -> None:
                if progress:
                    progress(READING, before + done, sum(sizes))

            staging.read(file, report)
        staging.flush()
        rejected.close()
        with database.writing():
            result = write(staging, ChangeLog(terms.import_id), progress, demo=terms.demo)
            if finish:
                finish(result)
            if terms.import_id is not None:
                # After the row: a worker that lost its lease must not touch another's file.
                rejected.keep(terms.import_id)
        clean_up(result)
        return result
    finally:
        rejected.close()
        shutil.rmtree(folder, ignore_errors=True)


def clean_up(result: Result) -> None:
    """Tidy up after an import. A failure of this does not change the import."""
    for kind, key in result.orphans:
        with suppress(OSError, PeeweeException):
            stored_files.delete(kind, key)
    if result.counts.get(POLLS, Counts()).new >= LARGE:
        try:
            database.tidy()
        except Exception as error:
            log.warning("After the import: %s", database.explain(error) or error)


def write(
    staging: Staging, log: ChangeLog, progress: StageProgress | None = None, *, demo: bool = False
) -> Result:
    """Write what was staged. The caller holds the write transaction, and calls `clean_up` after
    it."""
    result = Result(staging.counts, staging.rejected.first.as_json(), notices=staging.notices)
    if staging.empty:
        return result
    orphans = remove_demo() if staging.ids.names and not demo else None
    result.orphans = orphans or []
    store_rows, new_stores = _store_rows(staging.ids.names, demo, log)
    result.rows, result.new_stores = store_rows, new_stores
    result.polled = np.zeros(len(store_rows), bool)
    changed = new_stores
    changed |= _write_zones(staging, store_rows, result, log)
    changed |= _write_hours(staging, store_rows, result, log)
    changed |= _write_optional(staging, store_rows, result, log)
    polls_from = _write_polls(staging, store_rows, result, log, progress)
    if changed or polls_from is not None:
        result.revision = new_revision(
            polls_from, stores_changed=changed, rebuild=orphans is not None
        )
    return result


def _store_rows(names: list[str], demo: bool, log: ChangeLog) -> tuple[Ints, bool]:
    """The row ids (int64) of the stores named. Makes the missing ones."""
    known = _known_rows(names)
    missing = sorted(name for name in names if name not in known)
    if missing:
        database.add_stores(missing, demo)
        known |= _known_rows(missing)
        log.note(STORES, {known[name]: None for name in missing})
    return np.array([known[name] for name in names], np.int64), bool(missing)


def _known_rows(names: list[str]) -> dict[str, int]:
    """The row ids of those of the stores that there are, by id; of many names, of all stores."""
    query = Store.select(Store.store_id, Store.id)
    if len(names) <= FEW_STORES:
        query = query.where(Store.store_id.in_(names))
    return dict(database.tuples(query))


def _write_zones(staging: Staging, store_rows: Ints, result: Result, log: ChangeLog) -> bool:
    if not staging.zones:
        return False
    rows = store_rows[np.concatenate([store for store, _ in staging.zones])]
    zones = np.concatenate([zone for _, zone in staging.zones])
    with_zone = Store.select(Store.id, Store.timezone).where(~Store.timezone.is_null())
    stored = dict(database.tuples(with_zone))
    changes = compare_zones(rows, zones, stored)
    counts = result.counts[TIMEZONES]
    counts.new += changes.new
    counts.updated += changes.updated
    counts.unchanged += changes.unchanged
    log.note(ZONES, {row: stored.get(row) for row in changes.final})
    database.set_zones(np.array(list(changes.final), np.int64), list(changes.final.values()))
    return bool(changes.final)


def _write_hours(staging: Staging, store_rows: Ints, result: Result, log: ChangeLog) -> bool:
    if not staging.hours:
        return False
    counts = result.counts[BUSINESS_HOURS]
    lines, replaced = last_file_counts(staging.hours, staging.hours_from)
    if len(replaced):
        result.notices.append(_of_two_files([staging.ids.names[n] for n in replaced.tolist()]))
    counts.unchanged += sum(map(len, staging.hours)) - len(lines)
    lines[:, 0] = store_rows[lines[:, 0]]
    stored = database.business_hours()
    spoiled_rows = _spoiled_rows(staging, store_rows)
    left = np.isin(lines[:, 0], spoiled_rows)
    counts.unchanged += int(left.sum())
    lines = lines[~left]
    unreadable = spoiled_rows[~np.isin(spoiled_rows, stored[:, 0])]
    changed = _mark_unreadable(unreadable, distinct(lines[:, 0]), log)
    changes = compare_hours(lines, stored[np.isin(stored[:, 0], lines[:, 0])])
    counts.new += changes.new
    counts.updated += changes.updated
    counts.unchanged += changes.unchanged
    counts.removed += changes.removed
    if not len(changes.rows):
        return changed
    log.note(HOURS, former_hours(changes.rows, stored))
    database.replace_hours(changes.rows, changes.hours)
    return True


def _of_two_files(stores: list[str]) -> str:
    count = len(stores)
    return (
        f"{count_of(count, 'store')}, such as {stores[0]}, {have(count)} business hours in several "
        "files of this import: those of the last file count."
    )


def _write_optional(staging: Staging, store_rows: Ints, result: Result, log: ChangeLog) -> bool:
    if staging.feeds is None:
        return False
    done = staging.feeds.write(staging.ids.names, store_rows, log)
    for kind, outcome in done.items():
        counts = result.counts[kind]
        counts.new += outcome.new
        counts.updated += outcome.updated
        counts.unchanged += outcome.unchanged
        counts.removed += outcome.removed
    return any(outcome.changed for outcome in done.values())


def _spoiled_rows(staging: Staging, store_rows: Ints) -> Ints:
    """The row ids of the stores whose hours do not count, sorted."""
    numbers = [found.names for found in staging.spoiled]
    perhaps = sorted(set().union(*(found.perhaps for found in staging.spoiled)))
    rows = [store_rows[number] for number in numbers]
    for part in chunked(perhaps, 10_000):
        known = Store.select(Store.id).where(Store.store_id.in_(part))
        rows.append(np.array([row for (row,) in database.tuples(known)], np.int64))
    return distinct(np.concatenate([np.empty(0, np.int64), *rows]))


def _mark_unreadable(unreadable: Ints, readable: Ints, log: ChangeLog) -> bool:
    """Store which stores' hours could not be read, and which now could. Returns whether this
    changed for any."""
    were = database.tuples(Store.select(Store.id).where(Store.hours_unreadable))
    marked = np.array([row for (row,) in were], np.int64)
    news = {
        True: unreadable[~np.isin(unreadable, marked)],
        False: readable[np.isin(readable, marked)],
    }
    for value, rows in news.items():
        log.note(UNREADABLE, dict.fromkeys(rows.tolist(), not value))
        for part in chunked(rows.tolist(), 10_000):
            Store.update(hours_unreadable=value).where(Store.id.in_(part)).execute()
    return any(len(rows) for rows in news.values())


def _write_polls(
    staging: Staging,
    store_rows: Ints,
    result: Result,
    log: ChangeLog,
    progress: StageProgress | None,
) -> int | None:
    """Write the polls that are new or have another status. Returns the earliest one's instant."""
    done = 0
    earliest: int | None = None
    texts = staging.reasons.texts
    # A poll that is imported again without a reason loses its reason.
    with_reasons = bool(staging.polls.count) and (len(texts) > 1 or has_reasons())
    for lines in staging.polls.by_row(store_rows):
        result.polled[lines.store] = True
        said = texts if with_reasons else None
        earliest_here = _write_part(lines, store_rows, result.counts[POLLS], said, log)
        if earliest_here is not None:
            earliest = earliest_here if earliest is None else min(earliest, earliest_here)
        done += len(lines.store)
        if progress:
            progress(WRITING, done, staging.polls.count)
    return earliest


def _write_part(
    lines: PollLines, store_rows: Ints, counts: Counts, texts: list[str] | None, log: ChangeLog
) -> int | None:
    """Write one chunk of polls, and their reasons where there are ``texts``; returns the earliest
    instant at which something changed."""
    store, time, status = lines.store, lines.time, lines.status
    reason = None if texts is None else lines.reasons
    # Lines for one poll stand together, in the order of the file: the first is compared with
    # the database, each further one with the line before it, and the last is what is stored.
    again = np.zeros(len(store), bool)
    again[1:] = (store[1:] == store[:-1]) & (time[1:] == time[:-1])
    if again.any():
        same_status = np.zeros(len(store), bool)
        same_status[1:] = status[1:] == status[:-1]
        if reason is not None:
            same_status[1:] &= reason[1:] == reason[:-1]
        counts.unchanged += int((again & same_status).sum())
        counts.updated += int((again & ~same_status).sum())
        last = np.append(~again[1:], True)
        first_status, last_status = status[~again], status[last]
        store, time = store[~again], time[~again]
        reason = None if reason is None else reason[last]
    else:
        first_status = last_status = status

    row, order = _in_row_order(store, store_rows)
    row, time = row[order], time[order]
    first_status, last_status = first_status[order], last_status[order]
    explained: list[int] = []
    if reason is not None and texts is not None and len(row):
        changed = replace_reasons(row, time, reason[order], texts, log)
        if changed.any():
            explained.append(int(time[changed].min()))
            # The status alone does not tell that these are other polls than before.
            more = count_same_polls(row[changed], time[changed], first_status[changed])
            counts.updated += more
            counts.unchanged -= more
    merged = database.merge_polls(row, time, first_status, last_status)
    counts.new += merged.new
    counts.updated += merged.updated
    counts.unchanged += merged.unchanged
    log.note_polls(merged.changes)
    return min([*explained, *([] if merged.earliest is None else [merged.earliest])], default=None)


def _in_row_order(store: Ints, store_rows: Ints) -> tuple[Ints, Ints]:
    """(row ids, order by row id): ``store`` is grouped, so whole groups change places."""
    starts = np.flatnonzero(np.append(True, store[1:] != store[:-1]))
    lengths = np.diff(np.append(starts, len(store)))
    row = store_rows[store]
    by_row = np.argsort(row[starts], kind="stable")
    lengths, starts = lengths[by_row], starts[by_row]
    ends = np.cumsum(lengths)
    order = np.arange(len(store)) + np.repeat(starts - (ends - lengths), lengths)
    return row, order
