"""The stored feeds other than polls, as CSV that can be imported again."""

import csv
import io
from collections.abc import Callable, Iterable
from typing import Any

from restmon.access import visibility
from restmon.access.roles import THIS_MACHINE, Actor
from restmon.core.formatting import no_formula, wall_text
from restmon.core.group_names import join_groups
from restmon.core.hours import CLOSED
from restmon.core.instants import date_of
from restmon.errors import BadRequest
from restmon.ingest.directory_writer import FIELDS
from restmon.ingest.headers import BUSINESS_HOURS, DIRECTORY, OTHER_HOURS, SALES, TIMEZONES
from restmon.storage import database
from restmon.storage.models import (
    Group,
    HourlySales,
    OtherHours,
    Store,
    StoreDirectory,
)
from restmon.stores.groups import read_groups_by_store

Row = Iterable[Any]
Ids = dict[int, str]
"""The ids of the stores that the actor sees, by row id, in order."""


def export_csv(kind: str, actor: Actor = THIS_MACHINE) -> str:
    """The rows of a feed as CSV, for the stores and groups that the actor sees. Importing them
    again changes nothing. Texts that a spreadsheet would run as a formula begin with an apostrophe.
    Raises BadRequest for an unknown kind."""
    if kind not in EXPORTS:
        raise BadRequest(f"{kind[:40]!r} cannot be exported.", f"Use {', '.join(EXPORTS)}.")
    header, read = EXPORTS[kind]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    with database.reading():
        stores = dict(
            database.tuples(Store.select(Store.id, Store.store_id).order_by(Store.store_id))
        )
        if actor.groups is not None:
            seen = visibility.find_store_ids(actor.groups)
            stores = {row: store_id for row, store_id in stores.items() if store_id in seen}
        groups = Group.select(Group.id, Group.name).order_by(Group.same_name)
        if actor.groups is not None:
            groups = groups.where(Group.id.in_(sorted(actor.groups)))
        writer.writerows(read(stores, dict(database.tuples(groups))))
    return out.getvalue()


def _directory(stores: Ids, groups: Ids) -> Iterable[Row]:
    fields = [getattr(StoreDirectory, name) for name in FIELDS]
    entries = {
        row[0]: row[1:]
        for row in database.tuples(StoreDirectory.select(StoreDirectory.store, *fields))
    }
    members = read_groups_by_store()
    for row, store_id in stores.items():
        own = members.get(row, set())
        names = [name for group, name in groups.items() if group in own]
        if row not in entries and not names:
            continue
        name, address, sales, opened_on, closed_on = entries.get(row, (None,) * len(FIELDS))
        yield (
            store_id,
            no_formula(name or ""),
            no_formula(address or ""),
            join_groups(names),
            _amount(sales),
            _date(opened_on),
            _date(closed_on),
        )


def _other_hours(stores: Ids, groups: Ids) -> Iterable[Row]:
    table = database.tuples(
        OtherHours.select(
            OtherHours.store,
            OtherHours.group,
            OtherHours.date,
            OtherHours.start_time,
            OtherHours.end_time,
            OtherHours.note,
        ).order_by(OtherHours.date, OtherHours.start_time, OtherHours.end_time, OtherHours.id)
    )
    for owners, column in ((stores, 0), (groups, 1)):
        of: dict[int, list[Row]] = {}
        for row in table:
            of.setdefault(row[column], []).append(row[2:])
        for owner, name in owners.items():
            for date, start, end, note in of.get(owner, []):
                who = ("", name) if column else (name, "")
                times = (_time(start), _time(end))
                yield (*who, _date(date), *times, no_formula(note or ""))


def _sales(stores: Ids, _: Ids) -> Iterable[Row]:
    table = database.tuples(
        HourlySales.select(
            HourlySales.store, HourlySales.day_of_week, HourlySales.hour, HourlySales.sales
        ).order_by(HourlySales.store, HourlySales.day_of_week, HourlySales.hour)
    )
    return (
        (store_id, day, hour, _amount(sales))
        for store_id, day, hour, sales in _by_store(stores, table)
    )


def _business_hours(stores: Ids, _: Ids) -> Iterable[Row]:
    table = sorted(map(tuple, database.business_hours().tolist()))
    return (
        (store_id, day, _time(start), _time(end))
        for store_id, day, start, end in _by_store(stores, table)
    )


def _zones(stores: Ids, _: Ids) -> Iterable[Row]:
    query = Store.select(Store.id, Store.timezone).where(Store.timezone.is_null(False))
    return _by_store(stores, database.tuples(query))


def _by_store(stores: Ids, table: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """The rows in the order of the stores, with their ids in place of the row ids."""
    of: dict[int, list[tuple[Any, ...]]] = {}
    for row in table:
        of.setdefault(row[0], []).append(row[1:])
    return ((store_id, *rest) for row, store_id in stores.items() for rest in of.get(row, []))


def _amount(sales: float | None) -> str:
    if sales is None:
        return ""
    return f"{sales:.0f}" if sales.is_integer() else repr(sales)


def _date(number: int | None) -> str:
    return "" if number is None else date_of(number).isoformat()


def _time(wall: int | None) -> str:
    return "" if wall is None or wall == CLOSED else wall_text(wall)


EXPORTS: dict[str, tuple[tuple[str, ...], Callable[[Ids, Ids], Iterable[Row]]]] = {
    BUSINESS_HOURS: (
        ("store_id", "dayOfWeek", "start_time_local", "end_time_local"),
        _business_hours,
    ),
    TIMEZONES: (("store_id", "timezone_str"), _zones),
    DIRECTORY: (
        (
            "store_id",
            "name",
            "address",
            "groups",
            "sales_per_hour",
            "opened_on",
            "closed_on",
        ),
        _directory,
    ),
    OTHER_HOURS: (
        ("store_id", "group", "date", "start_time_local", "end_time_local", "note"),
        _other_hours,
    ),
    SALES: (("store_id", "dayOfWeek", "hour", "sales"), _sales),
}
"""The header of each kind, and what reads its rows."""
