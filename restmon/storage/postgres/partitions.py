"""The partitions of the table of polls: one a month, and one each for the time before and after."""

import numpy as np
from numpy.typing import NDArray
from psycopg import sql

from restmon.storage import models
from restmon.storage.postgres.connection import run, write_transaction
from restmon.storage.revisions import new_revision

Ints = NDArray[np.int64]

FIRST_MONTH, END_OF_MONTHS = np.datetime64("2000-01"), np.datetime64("2100-01")
"""Polls outside stand in two partitions of their own, whatever a file may hold."""


def partitions() -> list[tuple[str, int | None, int | None]]:
    """(name, from, to) of the partitions in the order of time; None where there is no bound."""
    found = models.database.execute_sql(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits"
        " JOIN pg_class AS c ON c.oid = inhrelid WHERE inhparent = 'poll'::regclass"
    ).fetchall()
    bounds = []
    for name, text in found:
        lo, hi = (
            None if "VALUE" in part else int(part.strip("() '"))
            for part in text.removeprefix("FOR VALUES FROM ").split(" TO ")
        )
        bounds.append((name, lo, hi))
    return sorted(bounds, key=lambda b: float("-inf") if b[1] is None else b[1])


def microseconds(month: np.datetime64) -> int:
    """The instant at which a month begins, UTC."""
    return int(month.astype("datetime64[us]").astype(np.int64))


def make_months(instants: Ints) -> None:
    """Make the missing partitions of the instants' months. Attaching one locks out no reader, so
    reports may run meanwhile. The caller holds the writers' lock."""
    months = np.unique(instants.astype("datetime64[us]").astype("datetime64[M]"))
    months = months[(months >= FIRST_MONTH) & (months < END_OF_MONTHS)]
    there = {name for name, _, _ in partitions()}
    for month in months:
        name = f"poll_{month}".replace("-", "_")
        if name in there:
            continue
        made = sql.SQL(
            "CREATE TABLE {name} (LIKE poll INCLUDING ALL)"
            " WITH (autovacuum_vacuum_insert_scale_factor = 0.02);"
            "ALTER TABLE poll ATTACH PARTITION {name} FOR VALUES FROM ({lo}) TO ({hi})"
        ).format(
            name=sql.Identifier(name),
            lo=sql.Literal(microseconds(month)),
            hi=sql.Literal(microseconds(month + 1)),
        )
        run(made)


def forget(before: int) -> int:
    """Drop the months that end before the instant, then delete the earlier polls of its own
    month."""
    deleted = 0
    for name, lo, hi in partitions():
        if hi is None or hi > before or lo is None:
            continue
        with write_transaction():
            table = sql.Identifier(name)
            counted = run(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
            run(sql.SQL("DROP TABLE {}").format(table))
            new_revision(polls_from=lo)
            deleted += counted[0] if counted else 0
    with write_transaction():
        rest = models.Poll.delete().where(models.Poll.timestamp < before).execute()
        if rest:
            new_revision(polls_from=0)
    return deleted + int(rest)


def delete_polls(lo: int, hi: int) -> int:
    """One delete; the months stay, empty."""
    found = models.Poll.timestamp
    return int(models.Poll.delete().where((found >= lo) & (found < hi)).execute())


def vacuum() -> tuple[int, int]:
    """Rewrite the oldest month, the one that the retention deletes from, and vacuum the rest."""
    size = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    )
    before = models.database.execute_sql(size).fetchone()[0]
    months = [name for name, lo, hi in partitions() if lo is not None and hi is not None]
    if months:
        run(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(months[0])))
    run("VACUUM (ANALYZE)")
    return int(before), int(models.database.execute_sql(size).fetchone()[0])


def tidy() -> None:
    """Vacuum, so that the index alone answers for new polls before autovacuum runs."""
    for name, _, _ in partitions():
        run(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(name)))
