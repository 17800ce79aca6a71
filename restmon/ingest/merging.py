"""Compares a file's business hours and time zones with the stored ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.ingest.whole_rows import compare_rows

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class ZoneChanges:
    """The changes by lines of time zones.

    ``new``, ``updated`` and ``unchanged`` count lines. ``final`` has the new zone, by row id, of
    every store whose zone changes.
    """

    new: int
    updated: int
    unchanged: int
    final: dict[int, str]


def compare_zones(rows: Ints, zones: NDArray[np.object_], stored: Mapping[int, str]) -> ZoneChanges:
    """Compare lines of time zones (``rows``: store row ids) with the stored zones by row id.

    Of several lines of one store the last one counts. Each is compared with the one before it.
    """
    current: dict[int, str] = {}
    new = updated = unchanged = 0
    for row, zone in zip(rows.tolist(), zones.tolist(), strict=True):
        before = current.get(row, stored.get(row))
        if before is None:
            new += 1
        elif before == zone:
            unchanged += 1
        else:
            updated += 1
        current[row] = zone
    final = {row: zone for row, zone in current.items() if stored.get(row) != zone}
    return ZoneChanges(new, updated, unchanged, final)


def last_file_counts(parts: Sequence[Ints], files: Sequence[object]) -> tuple[Ints, Ints]:
    """The lines of business hours that count if several files name a store: those of the last file,
    as if the files were imported one after the other.

    ``parts`` are int64 of shape (n, 4), the store first, each from the file at its place in
    ``files``, in the order of the import. Returns the lines that count, and the stores that
    several files name, int64, sorted.
    """
    lines = np.concatenate(parts)
    number = {file: i for i, file in enumerate(dict.fromkeys(files))}
    if len(number) < 2:
        return lines, np.empty(0, np.int64)
    file = np.repeat([number[f] for f in files], [len(part) for part in parts])
    stores, place = np.unique(lines[:, 0], return_inverse=True)
    last = np.full(len(stores), -1)
    np.maximum.at(last, place, file)
    counts = file == last[place]
    return lines[counts], np.unique(lines[~counts, 0])


@dataclass(frozen=True)
class HoursChanges:
    """The changes by lines of business hours.

    ``new``, ``updated`` (the weekday had other hours) and ``unchanged`` count lines. ``removed``
    counts stored lines that go without a new one for their weekday. ``rows`` are the row ids of the
    stores whose hours change, int64, sorted. ``hours`` are all their new hours, int64 of shape
    (lines, 4), sorted.
    """

    new: int
    updated: int
    unchanged: int
    removed: int
    rows: Ints
    hours: Ints


def compare_hours(lines: Ints, stored: Ints) -> HoursChanges:
    """Compare lines of business hours with all stored ones of their stores.

    Both are int64 of shape (n, 4): store row id, day of week, start, end. The second of two equal
    lines is unchanged.
    """
    changes = compare_rows(lines, stored, place=2, owner=1)
    hours = changes.rows
    return HoursChanges(
        changes.new,
        changes.updated,
        changes.unchanged,
        changes.removed,
        changes.owners[:, 0],
        hours[np.lexsort(hours.T[::-1])],
    )
