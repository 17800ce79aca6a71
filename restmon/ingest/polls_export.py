"""The stored polls as a file that can be imported again, or read with other tools."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from restmon.core.formatting import no_formula
from restmon.core.instants import DAY
from restmon.errors import NoPolls, RestmonError
from restmon.files import flush, part_file
from restmon.storage import database
from restmon.storage.models import PollReason, Store

CSV, PARQUET = "csv", "parquet"
FORMATS = (CSV, PARQUET)
AT_ONCE = 3 * DAY


class Writer(Protocol):
    """A writer of PyArrow's."""

    def write_table(self, table: Any) -> None: ...

    def close(self) -> None: ...


def export_polls(
    target: Path, form: str = CSV, progress: Callable[[int], None] | None = None
) -> int:
    """Write all polls to a file, some days at a time, each day's by store, then time. Returns how
    many. The columns are those of the feed, with ``reason`` where any poll has one; times are UTC.

    One of `FORMATS`. ``progress`` is called with the number of polls done. Raises NoPolls, and
    RestmonError if the file cannot be written.
    """
    import pyarrow as pa  # noqa: PLC0415 - takes a tenth of a second

    done = 0
    try:
        with part_file(target) as part, database.reading():
            oldest, newest = database.oldest_poll(), database.newest_poll(2**62)
            if oldest is None or newest is None:
                raise NoPolls("There are no polls in the database yet.", "Import some first.")
            query = Store.select(Store.store_id, Store.id).order_by(Store.store_id)
            stores = database.tuples(query)
            names = pa.array([store_id for store_id, _ in stores], pa.string())
            rows = [row for _, row in stores]
            schema = _schema(form, with_reasons=PollReason.select(PollReason.store).exists())
            writer = _open(part, form, schema)
            for begin in range(oldest, newest + 1, AT_ONCE):
                table = _table(schema, names, rows, (begin, min(begin + AT_ONCE, newest + 1)))
                writer.write_table(table)
                done += len(table)
                if progress:
                    progress(done)
            writer.close()
            flush(part)
            part.replace(target)
    except OSError as error:
        raise RestmonError(
            f"The file {target} cannot be written: {error.strerror or error}.",
            "Make room or make the folder writable, then try again.",
        ) from error
    return done


def _schema(form: str, *, with_reasons: bool) -> Any:
    import pyarrow as pa  # noqa: PLC0415

    time = pa.string() if form == CSV else pa.timestamp("us", "UTC")
    fields = [("store_id", pa.string()), ("status", pa.string()), ("timestamp_utc", time)]
    return pa.schema([*fields, ("reason", pa.string())] if with_reasons else fields)


def _open(path: Path, form: str, schema: Any) -> Writer:
    if form == PARQUET:
        import pyarrow.parquet as pq  # noqa: PLC0415

        parquet: Writer = pq.ParquetWriter(path, schema, compression="zstd")
        return parquet
    from pyarrow import csv  # noqa: PLC0415

    options = csv.WriteOptions(quoting_style="needed")
    lines: Writer = csv.CSVWriter(str(path), schema, write_options=options)
    return lines


def _table(schema: Any, names: Any, rows: list[int], window: tuple[int, int]) -> Any:
    """The polls of a window, [begin, end). ``names`` and ``rows`` are the ids and row ids of all
    stores, in the order of the ids."""
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.compute as pc  # noqa: PLC0415

    store, time, status = database.polls_of_all(*window, np.array(rows, np.int64))
    instants = pa.array(time, pa.timestamp("us"))
    if schema.field("timestamp_utc").type == pa.string():
        texts = pc.strftime(instants, "%Y-%m-%d %H:%M:%S")
        instants = pc.binary_join_element_wise(texts, "UTC", " ")
    columns = [
        names.take(pa.array(store)),
        pa.array(["inactive", "active"]).take(pa.array(status)),
        instants.cast(schema.field("timestamp_utc").type),
    ]
    if "reason" in schema.names:
        known = _reasons(*window)
        of_polls = zip(store.tolist(), time.tolist(), strict=True)
        texts = [no_formula(known.get((rows[n], at), "")) for n, at in of_polls]
        columns.append(pa.array(texts, pa.string()))
    return pa.Table.from_arrays(columns, schema=schema)


def _reasons(begin: int, end: int) -> dict[tuple[int, int], str]:
    """The reasons of polls with begin <= timestamp < end, by store's row id and instant."""
    query = PollReason.select(PollReason.store, PollReason.timestamp, PollReason.reason)
    inside = (PollReason.timestamp >= begin) & (PollReason.timestamp < end)
    return {(row, at): reason for row, at, reason in database.tuples(query.where(inside))}
