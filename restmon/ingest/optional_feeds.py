"""The optional feeds of an import, from checked lines to what is stored: the store directory, other
hours on dates, hourly sales (SEMANTICS.md, "Inputs")."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.group_names import same_name
from restmon.errors import FileRejected
from restmon.ingest.checked import Checked, OwnerDate
from restmon.ingest.directory_writer import write_directory
from restmon.ingest.headers import DIRECTORY, OTHER_HOURS, SALES
from restmon.ingest.other_hours_writer import OtherHoursLines, write_other_hours
from restmon.ingest.sales_writer import write_sales
from restmon.ingest.values.texts import GroupNames
from restmon.ingest.whole_rows import Outcome
from restmon.storage.changes import ChangeLog
from restmon.stores.groups import ids_of

MOST_ROWS = 5_000_000
"""The most dates of stores and groups in one import."""

Ints = NDArray[np.int64]
Values = dict[str, NDArray[Any]]


@dataclass
class OptionalFeeds:
    """The good lines of the optional feeds of an import. Stores have the numbers of its ids, groups
    those of ``groups``. ``spoiled`` are the dates that do not count."""

    groups: GroupNames = field(default_factory=GroupNames)
    spoiled: set[OwnerDate] = field(default_factory=set)
    _parts: dict[str, list[Values]] = field(default_factory=dict)
    _dates: int = 0

    def add(self, kind: str, name: str, found: Checked) -> None:
        """Take the good lines of a batch of the file ``name``."""
        self._parts.setdefault(kind, []).append(found.values)
        self.spoiled |= found.dates
        if kind == OTHER_HOURS:
            self._dates += len(found.line)
            if self._dates > MOST_ROWS:
                raise FileRejected(
                    f"{name} names more than {MOST_ROWS:,} dates of stores.", "Import it in parts."
                )

    @property
    def empty(self) -> bool:
        """Whether there is no line."""
        return not any(len(part["store_id"]) for parts in self._parts.values() for part in parts)

    def write(self, ids: Sequence[str], store_rows: Ints, log: ChangeLog) -> dict[str, Outcome]:
        """Write the lines, by kind. ``store_rows`` are the row ids of the stores ``ids``. The
        ``log`` notes what is replaced. The caller holds the write transaction and adds a
        revision."""
        done = {}
        if DIRECTORY in self._parts:
            parts = self._parts[DIRECTORY]
            numbered = ({**part, "store_id": store_rows[part["store_id"]]} for part in parts)
            done[DIRECTORY] = write_directory(numbered, log)
        if OTHER_HOURS in self._parts:
            done[OTHER_HOURS] = self._write_other_hours(ids, store_rows, log)
        if SALES in self._parts:
            columns = [
                np.concatenate([part[name] for part in self._parts[SALES]])
                for name in ("store_id", "dayOfWeek", "hour", "sales")
            ]
            done[SALES] = write_sales(log, store_rows[columns[0]], *columns[1:])
        return done

    def _write_other_hours(self, ids: Sequence[str], store_rows: Ints, log: ChangeLog) -> Outcome:
        parts = self._parts[OTHER_HOURS]
        store, group, *rest = (
            np.concatenate([part[name] for part in parts])
            for name in ("store_id", "group", "date", "start_time_local", "end_time_local", "note")
        )
        group_ids = ids_of(self.groups.names)
        left = np.zeros(len(store), bool)
        if self.spoiled:
            sames = [same_name(name) for name in self.groups.names]
            owners = (
                ("store", ids[s]) if s >= 0 else ("group", sames[g])
                for s, g in zip(store.tolist(), group.tolist(), strict=True)
            )
            spoiled = [
                (*owner, date) in self.spoiled
                for owner, date in zip(owners, rest[0].tolist(), strict=True)
            ]
            left = np.array(spoiled, bool)
        of_group = store < 0
        row = np.zeros(len(store), np.int64)
        row[~of_group] = store_rows[store[~of_group]]
        row[of_group] = group_ids[group[of_group]]
        kept = ~left
        lines = (of_group.astype(np.int64), row, *rest)
        done = write_other_hours(log, OtherHoursLines(*(column[kept] for column in lines)))
        done.unchanged += int(left.sum())
        return done
