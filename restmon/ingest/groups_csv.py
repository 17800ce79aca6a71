"""The groups file: which store is in which group, as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.ingest.batches import Rejection
from restmon.ingest.csv_reader import read_batches
from restmon.ingest.file_sources import Source
from restmon.ingest.headers import GROUPS
from restmon.ingest.rejected import KEPT_REJECTIONS, FirstRejections
from restmon.ingest.results import Counts
from restmon.ingest.validation import Checker
from restmon.ingest.values.store_ids import StoreIds
from restmon.storage import database
from restmon.storage.models import GroupMember, Store
from restmon.storage.revisions import new_revision
from restmon.stores.groups import ids_of, insert_members, members_revision

Ints = NDArray[np.int64]


@dataclass
class GroupImport:
    """The result of an import of memberships: lines read = new + unchanged + rejected, and the
    first 1,000 rejected lines."""

    counts: Counts = field(default_factory=Counts)
    rejections: list[Rejection] = field(default_factory=list)


def import_csv(source: Source, name: str, actor: Actor = THIS_MACHINE) -> GroupImport:
    """Add stores to groups by a CSV file of ``store_id, group`` (or ``group_name``).

    Works in one transaction, makes missing groups, and removes no store from a group. ``source`` is
    a path or an open file that can seek. A bad line is rejected alone, also one with an unknown
    store. Raises :class:`~restmon.errors.FileRejected` for a file that is rejected whole,
    Forbidden.
    """
    actor.must(Role.OPERATOR)
    ids = StoreIds()
    rejections = FirstRejections()
    lines: list[pd.DataFrame] = []
    result = GroupImport()
    checker = Checker(GROUPS, ids)
    for batch in read_batches(source, name, GROUPS):
        found = checker.check(batch)
        rejections.add(name, found.rejections)
        result.counts.read += found.read
        store, group = found.values.values()
        lines.append(pd.DataFrame({"line": found.line, "store": store, "name": group}))
    with database.writing():
        _write(lines, ids.names, rejections, result.counts, name)
        audit.note(actor, audit.GROUPS_CHANGED, name)
    result.counts.rejected = rejections.count
    result.rejections = rejections.by_line()
    return result


def _write(
    parts: Sequence[pd.DataFrame],
    names: list[str],
    rejections: FirstRejections,
    counts: Counts,
    file: str,
) -> None:
    """Apply an import's good lines. The caller holds the write transaction.

    ``parts`` have line, store (index of ``names``) and name (of the group).
    """
    if not parts:
        return
    lines = pd.concat(parts, ignore_index=True)
    known: dict[str, int] = dict(database.tuples(Store.select(Store.store_id, Store.id)))
    rows = np.array([known.get(store_id, -1) for store_id in names], np.int64)
    lines["row"] = rows[lines["store"].to_numpy()]
    unknown = lines[lines["row"] < 0]
    first = unknown.head(KEPT_REJECTIONS)
    rejections.add(
        file,
        [
            Rejection(line, "store_id", names[store], "no store of this id is known yet")
            for line, store in zip(first["line"].tolist(), first["store"].tolist(), strict=True)
        ],
        len(unknown) - len(first),
    )
    lines = lines[lines["row"] >= 0]
    codes, spellings = pd.factorize(lines["name"])
    group_ids = ids_of(list(spellings))
    pairs = pd.DataFrame({"group": group_ids[codes], "store": lines["row"].to_numpy()})
    distinct = pairs.drop_duplicates()
    stored = pd.DataFrame(
        database.tuples(
            GroupMember.select(GroupMember.group, GroupMember.store).where(
                GroupMember.group.in_(sorted(set(group_ids.tolist())))
            )
        ),
        columns=["group", "store"],
        dtype="int64",
    )
    both = distinct.merge(stored, how="left", indicator=True)
    new = both.loc[both["_merge"] == "left_only", ["group", "store"]]
    counts.new, counts.unchanged = len(new), len(pairs) - len(new)
    insert_members(new.sort_values(["group", "store"]).to_numpy().tolist())
    if len(new):
        new_revision(**members_revision(new["group"].unique().tolist()))
