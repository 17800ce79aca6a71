"""The demo stores: a database that is empty starts with some, marked as such."""

import csv
from datetime import datetime, timedelta
from pathlib import Path

from restmon.database import session, tuples, writing
from restmon.models import BusinessHours, GroupMember, Import, Poll, Report, Store
from restmon.revisions import new_revision
from restmon.settings import get_settings

FOLDER = Path(__file__).parent.parent / "data" / "demo"


def write_recent_polls(path: Path, now: datetime) -> None:
    """Write the demo's polls as a CSV file, moved by so many whole weeks that the newest is less
    than a week before ``now`` (UTC, naive); not moved if it is later."""
    with (FOLDER / "polls.csv").open(newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    times = [datetime.fromisoformat(time.removesuffix(" UTC")) for _, _, time in lines]
    move = max((now - max(times)) // timedelta(weeks=1), 0) * timedelta(weeks=1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        for (store, status, _), time in zip(lines, times, strict=True):
            moved = (time + move).isoformat(sep=" ", timespec="microseconds")
            writer.writerow([store, status, f"{moved} UTC"])


def has_demo() -> bool:
    """Whether the database holds demo stores."""
    with session():
        return Store.select(Store.id).where(Store.demo).exists()


def remove_demo() -> list[Path] | None:
    """Remove every trace of the demo; the caller holds the write transaction.

    Returns the files of demo reports and imports, to be deleted after the commit, or None when
    there was no demo.
    """
    demo = Store.select(Store.id).where(Store.demo)
    if not demo.exists():
        return None
    settings = get_settings()
    orphans = [
        settings.reports_dir / f"{report_id}.csv"
        for (report_id,) in tuples(Report.select(Report.id).where(Report.demo))
    ]
    orphans += [
        settings.rejected_dir / f"{import_id}.csv"
        for (import_id,) in tuples(Import.select(Import.id).where(Import.demo))
    ]
    Poll.delete().where(Poll.store.in_(demo)).execute()
    BusinessHours.delete().where(BusinessHours.store.in_(demo)).execute()
    # Groups stay, without these stores: people made them.
    GroupMember.delete().where(GroupMember.store.in_(demo)).execute()
    Store.delete().where(Store.demo).execute()
    Report.delete().where(Report.demo).execute()
    Import.delete().where(Import.demo).execute()
    return orphans


def clear_demo() -> bool:
    """Remove every trace of the demo; returns whether there was any."""
    if not has_demo():
        return False
    with writing():
        orphans = remove_demo()
        new_revision(stores_changed=True, rebuild=True)
    for path in orphans or []:
        path.unlink(missing_ok=True)
    return True
