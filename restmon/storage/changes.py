"""The record of what a transaction replaces, so that it can be undone.

A function that writes a table notes in a `ChangeLog` what was there before::

    log.note("zones", {17: "America/Denver", 18: None})

The kind says which table it is, the keys which rows. Two changes of the same kind that have a key
in common changed the same rows. `restmon.ingest.undo_kinds` puts the rows of each kind back.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from restmon.storage.models import Change, ReplacedRows
from restmon.storage.poll_changes import PollChanges
from restmon.storage.poll_statements import execute

POLLS, STORES = "polls", "stores"
"""Two special kinds: stretches of polls, and new stores (row id: None)."""

MOST_JOINED = 1000
"""How many stretches of polls are joined in one record at most."""

Key = int | tuple[Any, ...]
"""A store's row id, or a tuple that begins with it."""
Former = Mapping[Key, Any]
"""What was there before, by key, ready for JSON."""


class ChangeLog:
    """The record of one change: an import, or (without one) an edit by hand.

    The caller holds the write transaction. The first note inserts the change's row.
    """

    def __init__(self, import_id: str | None = None) -> None:
        self._import_id = import_id
        self._change: Change | None = None

    def note(self, kind: str, former: Former) -> None:
        """Put on record what the rows of some keys were before."""
        if former:
            self._add(kind, pack(former))

    def note_polls(self, changes: PollChanges) -> None:
        """Put on record what was written of the polls."""
        if len(changes):
            first, last = int(changes.first.min()), int(changes.last.max())
            self._add(POLLS, changes.pack(), first=first, last=last)

    def _add(self, kind: str, data: bytes, **values: int) -> None:
        if self._change is None:
            self._change = Change.create(imported=self._import_id)
        ReplacedRows.create(change=self._change, kind=kind, data=data, **values)


class ContinuedLog(ChangeLog):
    """The record of one of many changes by the same import. As long as nothing else has changed in
    between, they are one change, so that a thousand small ones are undone at once."""

    def _add(self, kind: str, data: bytes, **values: int) -> None:
        if self._change is None:
            newest = Change.select().order_by(Change.id.desc()).first()
            if newest is not None and newest.import_id == self._import_id and not newest.undone:
                self._change = newest
        if self._change is None or kind != POLLS or not self._join(self._change, data):
            super()._add(kind, data, **values)

    @staticmethod
    def _join(change: Change, data: bytes) -> bool:
        """Add polls to the change's last record, if that is of polls and small."""
        found = execute(
            "SELECT id, kind, data FROM replaced_rows WHERE change_id = ? ORDER BY id DESC LIMIT 1",
            (change.id,),
        ).fetchone()
        if found is None or found[1] != POLLS:
            return False
        former = bytes(found[2])
        if PollChanges.count(former) + PollChanges.count(data) > MOST_JOINED:
            return False
        both = PollChanges.unpack(former).followed_by(PollChanges.unpack(data))
        if len(both):
            execute(
                "UPDATE replaced_rows SET data = ?, first = ?, last = ? WHERE id = ?",
                (both.pack(), int(both.first.min()), int(both.last.max()), found[0]),
            )
        return True


def pack(former: Former) -> bytes:
    """Return what was there before as bytes for `unpack`."""
    return zlib.compress(json.dumps(list(former.items()), separators=(",", ":")).encode(), 1)


def unpack(data: bytes) -> dict[Key, Any]:
    """Return what was packed."""
    found = json.loads(zlib.decompress(data))
    return {tuple(key) if isinstance(key, list) else key: value for key, value in found}


def stores_of(keys: Iterable[Key]) -> set[int]:
    """Return the row ids of the stores in keys; 0 for a key of a group."""
    return {key[0] if isinstance(key, tuple) else key for key in keys}
