"""The dates with other hours of one store, as people say them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from restmon.access.roles import Actor
from restmon.core.formatting import wall_text
from restmon.core.instants import date_of, day_number
from restmon.storage import database
from restmon.storage.models import GroupMember, OtherHours
from restmon.stores.subjects import Subject, find_row


@dataclass(frozen=True)
class OtherDate:
    """A local ``date`` with other hours: ``hours`` in words ("closed"), and the ``note`` that was
    given, "" without one."""

    date: date
    hours: str
    note: str

    @property
    def text(self) -> str:
        """Such as ``Thanksgiving: closed``."""
        return f"{self.note}: {self.hours}" if self.note else self.hours


def read_other_dates(
    store_id: str,
    first: date,
    last: date,
    actor: Actor,
    write_time: Callable[[int], str] = wall_text,
) -> list[OtherDate]:
    """The dates from ``first`` to ``last`` on which a store has other hours, in order.

    A store's own entry for a date comes before those of its groups (SEMANTICS.md, "Open
    intervals"). A note of a group is there only for those who see the group. Raises NotFound.
    """
    with database.reading():
        row = find_row(Subject(store=store_id), actor)
        groups = [
            g
            for (g,) in database.tuples(
                GroupMember.select(GroupMember.group).where(GroupMember.store == row)
            )
        ]
        entries = database.tuples(
            OtherHours.select(
                OtherHours.date,
                OtherHours.group,
                OtherHours.start_time,
                OtherHours.end_time,
                OtherHours.note,
            ).where(
                ((OtherHours.store == row) | OtherHours.group.in_(groups))
                & OtherHours.date.between(day_number(first), day_number(last))
            )
        )
    by_date: dict[int, list[tuple[int | None, int | None, int | None, str | None]]] = {}
    for day, *entry in entries:
        by_date.setdefault(day, []).append(tuple(entry))
    found = []
    for day, rows in sorted(by_date.items()):
        own = [entry for entry in rows if entry[0] is None]
        used = own or rows
        times = sorted({(start, end) for _, start, end, _ in used if start is not None})
        hours = ", ".join(f"{write_time(a)}–{write_time(b)}" for a, b in times if b is not None)
        notes = {
            note
            for group, _, _, note in used
            if note and (group is None or actor.groups is None or group in actor.groups)
        }
        found.append(OtherDate(date_of(day), hours or "closed", ", ".join(sorted(notes))))
    return found
