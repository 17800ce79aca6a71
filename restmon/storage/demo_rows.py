"""The rows of demo data: whether there are any, and removing them."""

from restmon.core.group_names import same_name
from restmon.storage import demo_groups
from restmon.storage.access_models import AccountGroup, ApiKeyGroup
from restmon.storage.database import delete_polls_of, session, tuples
from restmon.storage.files import Kind
from restmon.storage.models import (
    Group,
    GroupMember,
    HourlySales,
    Import,
    OtherHours,
    PackedHours,
    PollReason,
    Report,
    Store,
    StoreDirectory,
    Target,
)
from restmon.storage.poll_statements import execute


def has_demo() -> bool:
    """Whether the database holds demo stores."""
    with session():
        return _is_there()


def _is_there() -> bool:
    # As text, since every call of a feed asks this.
    return bool(execute("SELECT EXISTS (SELECT 1 FROM store WHERE demo)").fetchone()[0])


def remove_demo() -> list[tuple[Kind, str]] | None:
    """Remove every trace of the demo; the caller holds the write transaction.

    Returns the files of demo reports and imports (kind and key), to be deleted after the commit, or
    None when there was no demo.
    """
    if not _is_there():
        return None
    demo = Store.select(Store.id).where(Store.demo)
    orphans = [
        (Kind.REPORT, f"{report_id}{suffix}")
        for (report_id,) in tuples(Report.select(Report.id).where(Report.demo))
        for suffix in (".csv", ".details.json")
    ]
    orphans += [
        (Kind.REJECTED, f"{import_id}{suffix}")
        for (import_id,) in tuples(Import.select(Import.id).where(Import.demo))
        for suffix in (".csv", ".zip")
    ]
    delete_polls_of([row for (row,) in tuples(demo)])
    for table in (PackedHours, StoreDirectory, OtherHours, HourlySales, Target):
        table.delete().where(table.store.in_(demo)).execute()
    PollReason.delete().where(PollReason.store.in_(demo)).execute()
    # Groups stay, without these stores, where people made them or use them.
    GroupMember.delete().where(GroupMember.store.in_(demo)).execute()
    used = (table.select(table.group) for table in (GroupMember, AccountGroup, ApiKeyGroup))
    unused = [Group.id.not_in(rows) for rows in used]
    made_by_demo = Group.same_name.in_([same_name(name) for name in demo_groups.EVERY])
    Group.delete().where(made_by_demo, *unused).execute()
    Store.delete().where(Store.demo).execute()
    Report.delete().where(Report.demo).execute()
    Import.delete().where(Import.demo).execute()
    return orphans
