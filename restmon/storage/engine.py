"""The interface that both database engines have."""

from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from peewee import Database

from restmon.settings import Settings

Ints = NDArray[np.int64]


class Engine(Protocol):
    """What `sqlite` and `postgres` each do in their own way.

    `database` documents the functions that have no docstring here, under the same names. They
    expect an open connection.
    """

    def connect(self, settings: Settings, *, patient: bool = ..., serves: bool = ...) -> Database:
        """The Peewee database of the settings. It waits for a lock only if ``patient``. If it
        ``serves``, connections are kept to be used again. Raises DatabaseUnavailable."""

    def explain(self, error: Exception) -> Exception | None:
        """A DatabaseUnavailable that explains the error to a user; None where the error is not the
        database's."""

    def find_damage(self) -> Exception | None:
        """Read the whole database. Returns a DatabaseDamaged that says what is wrong, or None."""

    def read_transaction(self) -> AbstractContextManager[Any]:
        """A transaction whose reads all see one state of the data."""

    def write_transaction(self) -> AbstractContextManager[Any]:
        """A transaction that keeps other such transactions waiting."""

    def update_transaction(self) -> AbstractContextManager[Any]:
        """A transaction for a few rows, which does not wait for a long import."""

    def connection_lost(self, error: BaseException) -> bool:
        """Whether the error says that the server is gone, so that the work can start again."""

    def clock(self) -> int: ...

    def business_hours(self, first: str | None = ..., end: str | None = ...) -> Ints: ...

    def add_stores(self, names: list[str], demo: bool) -> None: ...

    def set_zones(self, rows: Ints, zones: list[str]) -> None: ...

    def replace_hours(self, rows: Ints, hours: Ints) -> None: ...

    def table_size(self, table: str) -> int: ...

    def size(self) -> int: ...

    def tidy(self) -> None: ...

    def vacuum(self) -> tuple[int, int]: ...
