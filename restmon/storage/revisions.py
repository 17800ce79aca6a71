"""The numbers by which caches know that something changed."""

from restmon.storage.models import Revision

REVISIONS_KEPT = 1000


def new_revision(
    polls_from: int | None = None, *, stores_changed: bool = False, rebuild: bool = False
) -> int:
    """Record a change, inside the transaction that makes it, and return its number.

    See :class:`~restmon.storage.models.Revision`. Without any of the three, something changed that
    no report reads (groups). A snapshot then only moves its number, and pages compute anew what
    they cached under the old number.
    """
    row = Revision.create(polls_from=polls_from, stores_changed=stores_changed, rebuild=rebuild)
    # By tens, since each call of a feed makes one.
    if row.number % 10 == 0:
        Revision.delete().where(Revision.number <= row.number - REVISIONS_KEPT).execute()
    return int(row.number)
