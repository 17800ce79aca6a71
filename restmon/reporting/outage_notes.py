"""Which notes belong to which outage, and what they say of its cause (SEMANTICS.md, "Notes")."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restmon.core.instants import as_datetime
from restmon.stores.notes import Note

Ints = NDArray[np.int64]
Notes = tuple[Note, ...]


def match_notes(
    outages: tuple[Ints, Ints, Ints, NDArray[np.bool_]], notes: Sequence[tuple[int, Note]]
) -> NDArray[np.object_]:
    """Return the notes of each outage, in the order of their instants: an array of tuples.

    Parameters
    ----------
    outages : store, start, end, ongoing
        Arrays of one length, sorted by store, then start; instants.
    notes : sequence of (store, Note)
        Each with its store, numbered as the outages' are, in the order of the instants.
    """
    store, start, end, ongoing = outages
    found: list[Notes] = [()] * len(store)
    for place, note in notes:
        first, after = np.searchsorted(store, [place, place + 1])
        at = int(first + np.searchsorted(start[first:after], note.at, "right")) - 1
        if at >= first and (ongoing[at] or note.at <= end[at]):
            found[at] = (*found[at], note)
    result = np.empty(len(store), object)
    result[:] = found
    return result


def name_cause(given: str | None, notes: Notes) -> str | None:
    """Return the cause of an outage: what polls gave, or else what was chosen in the note that was
    written last; None if neither."""
    if given is not None:
        return given
    chosen = [(note.written_at, note.id, note.cause) for note in notes if note.cause]
    return max(chosen)[2] if chosen else None


def record_note(note: Note) -> dict[str, Any]:
    """Return a note as JSON has it."""
    return {
        "note_id": note.id,
        "at": _iso(note.at),
        "cause": note.cause,
        "text": note.text,
        "actor": note.actor,
        "written_at": _iso(note.written_at),
        "changed_at": None if note.changed_at is None else _iso(note.changed_at),
    }


def write_note(record: dict[str, Any]) -> str:
    """Return a note of `record_note` as text in one line."""
    said = ". ".join(part for part in (record["cause"], record["text"]) if part)
    day, time = record["written_at"].split("T")
    return f"{record['actor']}, {day} {time[:5]} UTC: {' '.join(said.split())}"


def _iso(instant: int) -> str:
    return f"{as_datetime(instant):%Y-%m-%dT%H:%M:%S.%f}Z"
