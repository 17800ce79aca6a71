"""Copies everything from an SQLite file to a PostgreSQL database, and verifies it row by row."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from peewee import BooleanField, Database, JSONField, Model
from psycopg import sql
from psycopg.types.json import Jsonb

from restmon.errors import BadRequest, RestmonError, SettingsError
from restmon.leasing import heartbeats
from restmon.settings import POSTGRESQL, Settings, checked_postgresql, get_settings, shown_url
from restmon.storage import database, models, postgres
from restmon.storage.access_models import Account, ApiKey, AuditEntry
from restmon.storage.sqlite import PERIOD_BITS
from restmon.storage.tables import ALL_MODELS

ROWS_AT_ONCE = 50_000
MOVED = [model for model in ALL_MODELS if model is not models.WorkerHeartbeat]
NUMBERED = [
    *(models.Store, models.BusinessHours, models.Group, ApiKey),
    *(Account, AuditEntry, models.OtherHours, models.Target),
    *(models.Change, models.ReplacedRows),
]
"""The models whose row ids PostgreSQL counts."""

Rows = list[tuple[Any, ...]]
Progress = Callable[[str, int], None]


def move_to(url: str, progress: Progress | None = None) -> dict[str, int]:
    """Copy all rows of the open SQLite database to an empty PostgreSQL database, compare them one
    by one, and only then commit. Returns the number of rows by table.

    ``progress`` is called with (table, rows done). The SQLite file does not change. Raises
    BadRequest, SettingsError, DatabaseUnavailable. Then the target is as it was.
    """
    settings = get_settings()
    if not settings.uses_sqlite:
        raise BadRequest(
            "The database is on PostgreSQL already.", "Set RESTMON_DATABASE_URL to the file."
        )
    target = _target(settings, url)
    if heartbeats.is_worker_alive():
        raise BadRequest(
            "A worker is running, which may write while the rows are copied.",
            "Stop worker, API and dashboard, wait half a minute, then move.",
        )
    source = models.database.obj
    tell = progress or (lambda *_: None)
    with source.connection_context(), source.atomic("DEFERRED"), _opened(target):
        with database.explain_errors(), database.writing():
            if any(model.select().exists() for model in MOVED):
                raise BadRequest(
                    f"The database {shown_url(url)} is not empty.",
                    "Give a new one: createdb restmon.",
                )
            counts = {}
            for model in MOVED:
                counts[_table(model)] = _copy(source, model, tell)
            for model in MOVED:
                _verify(source, model)
            used: dict[str, int] = dict(source.execute_sql("SELECT name, seq FROM sqlite_sequence"))
            for model in NUMBERED:
                _count_on(model, used.get(_table(model), 0))
        with database.explain_errors():
            database.tidy()
    return counts


def _target(settings: Settings, url: str) -> Settings:
    try:
        if not url.startswith(POSTGRESQL):
            raise ValueError("write it as postgresql://user@host/database")
        return replace(settings, database_url=checked_postgresql(url))
    except ValueError as error:
        raise SettingsError(f"The address {shown_url(url)} cannot be used: {error}.") from None


@contextmanager
def _opened(target: Settings) -> Iterator[None]:
    """Bind the models to the target for the block."""
    source = models.database.obj
    try:
        database.configure(target)
        yield
    finally:
        if models.database.obj is not source:
            models.database.close_all()
        models.database.initialize(source)


def _table(model: type[Model]) -> str:
    return str(model._meta.table_name)


def _columns(model: type[Model]) -> list[str]:
    return [field.column_name for field in model._meta.sorted_fields]


def _read(source: Database, model: type[Model]) -> Iterator[Rows]:
    """The rows of a table of the SQLite file, in the order of its key."""
    names = ", ".join(f'"{name}"' for name in _columns(model))
    order = "period, store_id, timestamp" if model is models.Poll else _order(model)
    rows = source.execute_sql(
        f'SELECT {names} FROM "{_table(model)}" ORDER BY {order}'  # noqa: S608 - names  # nosec B608
    )
    converters = [_converter(field) for field in model._meta.sorted_fields]
    plain = all(converter is None for converter in converters)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch if plain else [_converted(row, converters) for row in batch]


def _order(model: type[Model]) -> str:
    if model is models.Poll:
        return f"timestamp >> {PERIOD_BITS}, store_id, timestamp"  # the order of the file
    keys = model._meta.get_primary_keys()
    return ", ".join(f'"{key.column_name}"' for key in keys)


def _converter(field: Any) -> Callable[[Any], Any] | None:
    if isinstance(field, BooleanField):
        return bool
    if isinstance(field, JSONField):
        return json.loads
    return None


def _converted(row: tuple[Any, ...], converters: list[Callable[[Any], Any] | None]) -> Any:
    return tuple(
        value if converter is None or value is None else converter(value)
        for value, converter in zip(row, converters, strict=True)
    )


def _copy(source: Database, model: type[Model], tell: Progress) -> int:
    done = 0
    for batch in _read(source, model):
        if model is models.Poll:
            store, time, status = np.array(batch, np.int64).T
            postgres.add_polls(store, time, status.astype(np.int8))
        else:
            _copy_rows(model, batch)
        done += len(batch)
        tell(_table(model), done)
    return done


def _copy_rows(model: type[Model], rows: Rows) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, _columns(model)))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(_table(model)), columns)
    json_at = [isinstance(field, JSONField) for field in model._meta.sorted_fields]
    with (
        models.database.connection().cursor() as cursor,
        cursor.copy(statement) as copy,
    ):
        for row in rows:
            copy.write_row(
                [
                    Jsonb(value) if is_json and value is not None else value
                    for value, is_json in zip(row, json_at, strict=True)
                ]
            )


def _verify(source: Database, model: type[Model]) -> None:
    """Compare every row with its original. Raises RestmonError for a difference."""
    columns = sql.SQL(", ").join(map(sql.Identifier, _columns(model)))
    table, order = sql.Identifier(_table(model)), sql.SQL(_order(model))
    statement = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(columns, table, order)
    with models.database.connection().cursor("verify") as copied:
        copied.itersize = ROWS_AT_ONCE
        copied.execute(statement)
        for batch in _read(source, model):
            found = copied.fetchmany(len(batch))
            if found != batch:
                pairs = enumerate(zip(batch, found, strict=False))
                at = next((n for n, (mine, its) in pairs if mine != its), len(found))
                raise RestmonError(
                    f"A row of the table {_table(model)} did not arrive as it was: {batch[at]!r}.",
                    "Nothing was moved; please report this.",
                )
        if copied.fetchone() is not None:
            raise RestmonError(f"The table {_table(model)} has rows that the file has not.")


def _count_on(model: type[Model], used: int) -> None:
    """Make new row ids begin after the copied ones, and after the last one ever ``used``."""
    table = _table(model)
    models.database.execute_sql(
        "SELECT setval(pg_get_serial_sequence(%s, 'id'), "  # noqa: S608 - a table's name  # nosec B608
        f'greatest((SELECT max(id) FROM "{table}"), %s) + 1, false)',
        (table, used),
    )
