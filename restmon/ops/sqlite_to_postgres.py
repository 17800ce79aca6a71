"""Copies everything from an SQLite file, and the files beside it, to a PostgreSQL database, and
verifies it row by row, byte by byte."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from peewee import BooleanField, Database, JSONField, Model
from psycopg import sql
from psycopg.types.json import Jsonb

from restmon.errors import BadRequest, RestmonError, SettingsError
from restmon.leasing import heartbeats
from restmon.ops import taking_over
from restmon.setting_values import POSTGRESQL, checked_postgresql
from restmon.settings import Settings, get_settings, shown_url
from restmon.storage import database, files, models, poll_statements
from restmon.storage.access_models import Account, ApiKey, AuditEntry
from restmon.storage.document_models import Schedule, ScheduleRun, StatusPage
from restmon.storage.file_models import FileChunk, RejectedItems, StoredFile
from restmon.storage.files import FolderFiles, Kind
from restmon.storage.files.chunks import CHUNK
from restmon.storage.notify_models import AlertState, Channel, Rule
from restmon.storage.tables import ALL_MODELS

ROWS_AT_ONCE = 50_000
NOT_MOVED = {models.WorkerHeartbeat, StoredFile, FileChunk}
"""Signs of life end with their workers. Files go from the data folder into the database."""
MOVED = [model for model in ALL_MODELS if model not in NOT_MOVED]
NUMBERED = [
    *(models.Store, models.Group, ApiKey),
    *(Account, AuditEntry, models.OtherHours, models.Target, models.OutageNote),
    *(models.Change, models.ReplacedRows, RejectedItems),
    *(Channel, Rule, AlertState, StatusPage, Schedule, ScheduleRun),
]
"""The models whose row ids PostgreSQL counts."""

BLOCK = "period, part, mask, first, last, polls, checksum, stores, counts, data"
BLOCK_ORDER = "period, part < 0, part, id"
POLLS = 5
INSERT_BLOCK = f"INSERT INTO poll_block ({BLOCK}) VALUES ({', '.join('?' * 10)})"  # noqa: S608 - names  # nosec B608
BLOCKS_AT_ONCE = 500

Rows = list[tuple[Any, ...]]
Progress = Callable[[str, int], None]


def move_to(url: str, progress: Progress | None = None) -> dict[str, int]:
    """Copy all rows of the open SQLite database, and the files that they name, to an empty
    PostgreSQL database, compare them one by one, and only then commit. Returns the number of rows
    by table, and of ``files``.

    ``progress`` is called with (table, rows done). File and folder do not change. Raises
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
            counts["files"] = _copy_files(tell)
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
    rows = source.execute_sql(
        f'SELECT {names} FROM "{_table(model)}" ORDER BY {_order(model)}'  # noqa: S608 - names  # nosec B608
    )
    converters = [_converter(field) for field in model._meta.sorted_fields]
    plain = all(converter is None for converter in converters)
    while batch := list(islice(rows, ROWS_AT_ONCE)):
        yield batch if plain else [_converted(row, converters) for row in batch]


def _read_blocks(source: Database) -> Iterator[Rows]:
    """The blocks of the SQLite file's polls."""
    rows = source.execute_sql(f"SELECT {BLOCK} FROM poll_block ORDER BY {BLOCK_ORDER}")  # noqa: S608 - names  # nosec B608
    while batch := list(islice(rows, BLOCKS_AT_ONCE)):
        yield batch


def _order(model: type[Model]) -> str:
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
    for batch in _read_blocks(source) if model is models.Poll else _read(source, model):
        if model is models.Poll:
            poll_statements.execute_many(INSERT_BLOCK, batch)
            done += sum(block[POLLS] for block in batch)
        else:
            _copy_rows(model, batch)
            done += len(batch)
        tell(_table(model), done)
    return done


def _copy_files(tell: Progress) -> int:
    """Copy the files of the data folder that the copied rows name, and compare them."""
    folder, done = FolderFiles(get_settings()), 0
    for kind, key in taking_over.find_missing(folder):
        taking_over.copy_in(folder, kind, key)
        with folder.open(kind, key) as mine, files.open_file(kind, key) as copied:
            while piece := mine.read(CHUNK):
                if copied.read(len(piece)) != piece:
                    raise _explain_other_file(kind, key)
            if copied.read(1):
                raise _explain_other_file(kind, key)
        done += 1
        tell("files", done)
    return done


def _explain_other_file(kind: Kind, key: str) -> RestmonError:
    return RestmonError(
        f"The file {key} ({kind}) did not arrive as it was.",
        "Nothing was moved. If it was written meanwhile, move again.",
    )


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
    if model is models.Poll:
        columns: sql.Composable = sql.SQL(BLOCK)
        order = sql.SQL(BLOCK_ORDER)
        table, size, batches = sql.Identifier("poll_block"), BLOCKS_AT_ONCE, _read_blocks(source)
    else:
        columns = sql.SQL(", ").join(map(sql.Identifier, _columns(model)))
        table, order = sql.Identifier(_table(model)), sql.SQL(_order(model))
        size, batches = ROWS_AT_ONCE, _read(source, model)
    statement = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(columns, table, order)
    with models.database.connection().cursor("verify", binary=model is models.Poll) as copied:
        copied.itersize = size
        copied.execute(statement)
        for batch in batches:
            found = copied.fetchmany(len(batch))
            if found != batch:
                pairs = enumerate(zip(batch, found, strict=False))
                at = next((n for n, (mine, its) in pairs if mine != its), len(found))
                raise RestmonError(
                    f"A row of the table {_table(model)} did not arrive as it was:"
                    f" {_shown(batch[at])}.",
                    "Nothing was moved; please report this.",
                )
        if copied.fetchone() is not None:
            raise RestmonError(f"The table {_table(model)} has rows that the file has not.")


def _shown(row: tuple[Any, ...]) -> str:
    """A row as an error shows it: of a block of polls, what it says of itself."""
    return repr(tuple(value for value in row if not isinstance(value, bytes)))


def _count_on(model: type[Model], used: int) -> None:
    """Make new row ids begin after the copied ones, and after the last one ever ``used``."""
    table = _table(model)
    models.database.execute_sql(
        "SELECT setval(pg_get_serial_sequence(%s, 'id'), "  # noqa: S608 - a table's name  # nosec B608
        f'greatest((SELECT max(id) FROM "{table}"), %s) + 1, false)',
        (table, used),
    )
