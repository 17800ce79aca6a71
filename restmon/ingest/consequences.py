"""What is missing after an import: which of its stores have no hours, time zone or polls."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.findings import MOST_EXAMPLES, Example, Finding, count_of, find_changed_ids, have
from restmon.core.fixed_zones import explain_fixed_zone
from restmon.core.id_pairs import find_pairs, look_rounded
from restmon.storage import database
from restmon.storage.models import PackedHours, Store

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

MOST_LINES = 10
MOST_MEANINGS = 3
POLLED, HAS_HOURS, HAS_ZONE = 1, 2, 4
BEGINNING, FOR_EVER = -(2**61), 2**62


def find_consequences(
    rows: Ints,
    polled: Flags,
    *,
    with_ids: bool,
    bad_hours: Sequence[tuple[str, int]] = (),
    permitted: frozenset[str] | None = None,
) -> list[Finding]:
    """Return what is missing for the stores of an import once it is written. The caller holds its
    transaction.

    Parameters
    ----------
    rows : int64 array
        The row ids of the stores that the import names.
    polled : bool array of the same length
        Which of them have polls in the import.
    with_ids : bool
        Compare their ids with those of all stores. An import of polls of known stores does not need
        it, because it cannot change the result.
    bad_hours : sequence of (str, int)
        The file and the line of the rejected lines of business hours.
    permitted : frozenset of str, optional
        The ids that the importing actor may see (None: all).
    """
    if not len(rows):
        return []
    stored = database.tuples(
        Store.select(Store.id, Store.store_id, Store.timezone, Store.hours_unreadable).order_by(
            Store.store_id
        )
    )
    with_hours = {row for (row,) in database.tuples(PackedHours.select(PackedHours.store))}
    polled_rows = set(rows[polled].tolist()) | _polled(rows[~polled])
    named = set(rows.tolist())
    own = [store for store in stored if store[0] in named]
    findings = [
        *_about_hours(own, with_hours, polled_rows, bad_hours),
        *_about_zones(own),
        *_about_polls(own, with_hours, polled_rows),
    ]
    if with_ids:
        seen = [store for store in stored if permitted is None or store[1] in permitted]
        others = np.array([store[0] for store in seen if store[0] not in named], np.int64)
        feeds = _feeds(seen, with_hours, polled_rows | _polled(others))
        findings += _changed_ids(seen, feeds, {store_id for _, store_id, *_ in own})
    return findings


def as_note(finding: Finding) -> dict[str, Any]:
    """The finding in the form that an import's row stores: code, count, message and examples."""
    note = finding.as_json()
    del note["action"]
    return note


def _polled(rows: Ints) -> set[int]:
    """The row ids, among these, of stores that have a poll."""
    lo, hi = np.full(len(rows), BEGINNING), np.full(len(rows), FOR_EVER)
    n, _, _ = database.last_polls_in_ranges(rows, lo, hi)
    return set(rows[n].tolist())


def _finding(code: str, ids: Sequence[str], message: str, details: Mapping[str, str]) -> Finding:
    examples = tuple(Example(name, detail=details.get(name, "")) for name in ids[:MOST_EXAMPLES])
    return Finding(code, len(ids), message, "", examples)


def _about_hours(
    own: Sequence[tuple[Any, ...]],
    with_hours: set[int],
    polled: set[int],
    bad_hours: Sequence[tuple[str, int]],
) -> Iterable[Finding]:
    unusable = [store_id for _, store_id, _, unreadable in own if unreadable]
    if unusable:
        count = len(unusable)
        mend = f" until you fix {_lines(bad_hours)}" if bad_hours else " until a file gives some"
        yield _finding(
            "unreadable_hours",
            unusable,
            f"{count_of(count, 'store')} {have(count)} no usable hours: "
            f"{'it is' if count == 1 else 'they are'} left out{mend}.",
            {},
        )
    missing = [
        store_id
        for row, store_id, _, unreadable in own
        if row in polled and row not in with_hours and not unreadable
    ]
    if missing:
        count = len(missing)
        yield _finding(
            "no_hours",
            missing,
            f"{count_of(count, 'store')} {have(count)} polls but no business hours and "
            f"{'counts' if count == 1 else 'count'} as open 24 hours a day, 7 days a week.",
            {},
        )


def _lines(bad: Sequence[tuple[str, int]]) -> str:
    """Lines of files: ``line 12, 40, 41 of hours.csv``."""
    parts = []
    for name in dict.fromkeys(name for name, _ in bad):
        lines = [line for file, line in bad if file == name]
        some = ", ".join(f"{line:,}" for line in lines[:MOST_LINES])
        more = f" and {len(lines) - MOST_LINES:,} more" if len(lines) > MOST_LINES else ""
        parts.append(f"line {some}{more} of {name}")
    return " and ".join(parts)


def _about_zones(own: Sequence[tuple[Any, ...]]) -> Iterable[Finding]:
    missing = [store_id for _, store_id, zone, _ in own if zone is None]
    if missing:
        from restmon.core.hours import DEFAULT_ZONE  # noqa: PLC0415 - takes a while to load

        count = len(missing)
        yield _finding(
            "no_zone",
            missing,
            f"{count_of(count, 'store')} {have(count)} no time zone and "
            f"{'counts' if count == 1 else 'count'} as {DEFAULT_ZONE}.",
            {},
        )
    zones = sorted({zone for _, _, zone, _ in own if zone})
    meanings = {zone: text for zone in zones if (text := explain_fixed_zone(zone))}
    fixed = {store_id: meanings[zone] for _, store_id, zone, _ in own if zone in meanings}
    if fixed:
        count = len(fixed)
        some = "; ".join(list(meanings.values())[:MOST_MEANINGS])
        yield _finding(
            "fixed_offset_zone",
            list(fixed),
            f"{count_of(count, 'store')} {have(count)} a time zone without daylight saving time: "
            f"{some}.",
            fixed,
        )


def _about_polls(
    own: Sequence[tuple[Any, ...]], with_hours: set[int], polled: set[int]
) -> Iterable[Finding]:
    missing = {
        store_id: row in with_hours or unreadable
        for row, store_id, zone, unreadable in own
        if row not in polled and (zone is not None or row in with_hours or unreadable)
    }
    for has_hours, what in ((True, "hours"), (False, "a time zone")):
        ids = [store_id for store_id, has in missing.items() if bool(has) == has_hours]
        if ids:
            yield _finding(
                "no_polls" if has_hours else "zone_without_polls",
                ids,
                f"{count_of(len(ids), 'store')} {have(len(ids))} {what} but no polls.",
                {},
            )


def _feeds(seen: Sequence[tuple[Any, ...]], with_hours: set[int], polled: set[int]) -> Ints:
    return np.array(
        [
            POLLED * (row in polled)
            + HAS_HOURS * (row in with_hours or bool(unreadable))
            + HAS_ZONE * (zone is not None)
            for row, _, zone, unreadable in seen
        ],
        np.int64,
    )


def _changed_ids(seen: Sequence[tuple[Any, ...]], feeds: Ints, own: set[str]) -> list[Finding]:
    """The pairs of changed ids of which the import names one."""
    ids = [store_id for _, store_id, *_ in seen]
    pairs = [
        pair for pair in find_pairs(ids, feeds, POLLED) if own & {pair.written, *pair.candidates}
    ]
    looks = look_rounded(ids).tolist()
    rounded = [store_id for store_id, looks_so in zip(ids, looks, strict=True) if looks_so]
    return find_changed_ids(pairs, [store_id for store_id in rounded if store_id in own])
