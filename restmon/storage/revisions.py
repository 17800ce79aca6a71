"""The numbers by which caches know that something changed."""

from restmon.storage.models import Revision

REVISIONS_KEPT = 1000


def new_revision(
    polls_from: int | None = None, *, stores_changed: bool = False, rebuild: bool = False
) -> int:
    """Put a change on record, inside the transaction that makes it; returns its number.

    See :class:`~restmon.storage.models.Revision`. With none of the three given it says that
    something changed that no report reads (groups): a snapshot then only moves its number, and
    what pages cached under the old number is computed anew.
    """
    row = Revision.create(polls_from=polls_from, stores_changed=stores_changed, rebuild=rebuild)
    Revision.delete().where(Revision.number <= row.number - REVISIONS_KEPT).execute()
    return int(row.number)
