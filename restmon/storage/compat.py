"""Internals of Peewee (4.5.3) and of Python's sqlite3 (3.11) that restmon uses.

Peewee imports psycopg wherever it is installed. That takes as long as importing Peewee itself, and
an SQLite database does not need it. `import_peewee` imports Peewee without psycopg, and
`attach_psycopg` gives Peewee the driver when a PostgreSQL database is opened.
``tests/storage/test_compat.py`` fails when a release changes what this relies on.
"""

import sys
from importlib import import_module
from typing import Any

PSYCOPG = "psycopg"
UNDECODABLE = "Could not decode to UTF-8"


def import_peewee() -> None:
    """Import Peewee and its migrations without psycopg.

    Does nothing if either is imported already. Call it at the beginning of a process: a thread that
    imports psycopg at the same time would fail.
    """
    if "peewee" in sys.modules or PSYCOPG in sys.modules:
        return
    sys.modules[PSYCOPG] = None  # type: ignore[assignment]  # Python's way to say "not there"
    try:
        import_module("playhouse.migrations")
    finally:
        del sys.modules[PSYCOPG]


def is_undecodable(error: Exception) -> bool:
    """Whether an error of Python's sqlite3 says that text is not UTF-8, which means damage.

    SQLite does not check text, so the error has no code, only this message.
    """
    return UNDECODABLE in str(error)


def attach_psycopg() -> None:
    """Give Peewee the names that it would have if it had imported psycopg itself. A second call
    does nothing."""
    peewee: Any = import_module("peewee")
    if peewee.psycopg is not None:
        return
    pq = import_module("psycopg.pq")
    types = import_module("psycopg.types.json")
    peewee.TransactionStatus = pq.TransactionStatus
    peewee.Json_pg3, peewee.Jsonb_pg3 = types.Json, types.Jsonb
    adapter = peewee.Psycopg3Adapter
    adapter.txn_idle = pq.TransactionStatus.IDLE
    adapter.txn_inerror = pq.TransactionStatus.INERROR
    adapter.txn_unknown = pq.TransactionStatus.UNKNOWN
    peewee.psycopg = import_module(PSYCOPG)  # last: it tells other threads that all is there
