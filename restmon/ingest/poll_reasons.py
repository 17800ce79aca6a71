"""The reasons of polls. A poll without a reason has no row."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from restmon.core import keys
from restmon.storage import database, models
from restmon.storage.changes import ChangeLog, Former
from restmon.storage.models import PollReason
from restmon.storage.poll_statements import execute

Ints = NDArray[np.int64]

REASONS = "reasons"
NONE = 0
"""The code of no reason."""


class ReasonNumbers:
    """Numbers reasons in the order of their first appearance; 0 is none."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {"": NONE}

    def codes(self, texts: NDArray[np.object_]) -> Ints:
        """The numbers of texts, int64."""
        codes = self._codes
        found = (codes.setdefault(text, len(codes)) for text in texts.tolist())
        return np.fromiter(found, np.int64, len(texts))

    @property
    def texts(self) -> list[str]:
        """The reasons by number."""
        return list(self._codes)


def has_reasons() -> bool:
    """Whether any stored poll has a reason. The caller holds a connection."""
    return bool(execute("SELECT EXISTS (SELECT 1 FROM poll_reason)").fetchone()[0])


def replace_reasons(
    row: Ints, time: Ints, code: Ints, texts: Sequence[str], log: ChangeLog
) -> NDArray[np.bool_]:
    """Replace the reasons of polls by these, or by none.

    Parameters
    ----------
    row, time, code : int64 arrays of one length
        Row ids of stores and instants, sorted by both, no pair twice, and the number of the reason
        in ``texts``. The caller holds the write transaction.

    Returns
    -------
    bool array of the same length
        Which polls got another reason.
    """
    stored = _stored(time)
    before = np.full(len(row), "", object)
    at = keys.find(stored[0], stored[1], row, time)
    known = at >= 0
    before[at[known]] = stored[2][known]
    after = np.array(texts, object)[code]
    changed = (before != after).astype(bool)
    if changed.any():
        those = zip(row[changed].tolist(), time[changed].tolist(), strict=True)
        log.note(REASONS, dict(zip(those, before[changed].tolist(), strict=True)))
    p = models.database.param
    cursor = models.database.cursor()
    gone = changed & (before != "").astype(bool)
    if gone.any():
        pairs = list(zip(row[gone].tolist(), time[gone].tolist(), strict=True))
        sql = f"DELETE FROM poll_reason WHERE store_id = {p} AND timestamp = {p}"  # noqa: S608  # nosec B608
        cursor.executemany(sql, pairs)
    new = changed & (after != "").astype(bool)
    if new.any():
        rows = zip(row[new].tolist(), time[new].tolist(), after[new].tolist(), strict=True)
        sql = f"INSERT INTO poll_reason (store_id, timestamp, reason) VALUES ({p}, {p}, {p})"  # noqa: S608  # nosec B608
        cursor.executemany(sql, list(rows))
    return changed


def put_back_reasons(former: Former) -> None:
    """Put the reasons of polls back."""
    p = models.database.param
    cursor = models.database.cursor()
    pairs = list(former)
    sql = f"DELETE FROM poll_reason WHERE store_id = {p} AND timestamp = {p}"  # noqa: S608  # nosec B608
    cursor.executemany(sql, pairs)
    rows = [(*key, text) for key, text in former.items() if text and isinstance(key, tuple)]
    if rows:
        sql = f"INSERT INTO poll_reason (store_id, timestamp, reason) VALUES ({p}, {p}, {p})"  # noqa: S608  # nosec B608
        cursor.executemany(sql, rows)


def count_same_polls(row: Ints, time: Ints, status: NDArray[np.int8]) -> int:
    """How many of the polls are stored with the same status."""
    if not database.has_polls():
        return 0
    parts = database.polls_in_ranges(row, time, time + 1)
    return sum(int((status[n] == stored).sum()) for n, _, stored in parts)


def _stored(time: Ints) -> tuple[Ints, Ints, NDArray[np.object_]]:
    """The stored reasons in the time of the polls, sorted by store, then time."""
    query = PollReason.select(PollReason.store, PollReason.timestamp, PollReason.reason)
    table = database.tuples(
        query.where(PollReason.timestamp.between(int(time.min()), int(time.max()))).order_by(
            PollReason.store, PollReason.timestamp
        )
    )
    store, instant, text = zip(*table, strict=True) if table else ((), (), ())
    texts = np.empty(len(text), object)
    texts[:] = text
    return np.array(store, np.int64), np.array(instant, np.int64), texts
