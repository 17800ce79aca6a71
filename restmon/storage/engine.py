"""The interface that both database engines have."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from peewee import Database

from restmon.settings import Settings
from restmon.storage.upsert import Merged

Ints = NDArray[np.int64]
Statuses = NDArray[np.int8]


class Engine(Protocol):
    """What `sqlite` and `postgres` each do in their own way.

    `database` documents the functions that have no docstring here, under the same names. They
    expect an open connection.
    """

    def connect(self, settings: Settings, *, patient: bool = ...) -> Database:
        """The Peewee database of the settings. It waits for a lock only if ``patient``. Raises
        DatabaseUnavailable."""

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

    def newest_poll(self, until: int) -> int | None: ...

    def count_polls(self, lo: int, hi: int, at_most: int | None = ...) -> int: ...

    def polls_of_all(self, lo: int, hi: int) -> tuple[Ints, Ints, Statuses]: ...

    def polls_in_ranges(
        self, stores: Ints, lo: Ints, hi: Ints, at_once: int = ...
    ) -> Iterator[tuple[Ints, Ints, Statuses]]: ...

    def last_polls_in_ranges(
        self, stores: Ints, lo: Ints, hi: Ints
    ) -> tuple[Ints, Ints, Statuses]: ...

    def business_hours(self, first: str | None = ..., end: str | None = ...) -> Ints: ...

    def merge_polls(self, row: Ints, time: Ints, first: Statuses, last: Statuses) -> Merged: ...

    def set_zones(self, rows: Ints, zones: list[str]) -> None: ...

    def replace_hours(self, rows: Ints, hours: Ints) -> None: ...

    def make_months(self, instants: Ints) -> None: ...

    def forget(self, before: int) -> int: ...

    def set_statuses(self, stores: Ints, instants: Ints, statuses: Statuses) -> None: ...

    def delete_polls(self, lo: int, hi: int) -> int: ...

    def delete_polls_in_ranges(self, stores: Ints, lo: Ints, hi: Ints) -> int: ...

    def table_size(self, table: str) -> int: ...

    def size(self) -> int: ...

    def tidy(self) -> None: ...

    def vacuum(self) -> tuple[int, int]: ...
