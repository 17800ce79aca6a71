"""Errors for users: one sentence about what went wrong, one about how to mend it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class RestmonError(Exception):
    """An error whose message is for the user.

    ``code`` is a stable word for programs. ``message`` is one sentence that says what is wrong and
    where. ``hint`` is one that says how to mend it ("" if the message already does).
    """

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SettingsError(RestmonError):
    """An environment variable or a line of `.env` that restmon cannot use."""

    code = "bad_setting"


class FileRejected(RestmonError):
    """An input file is rejected whole (SEMANTICS.md, "Inputs"). Nothing has changed."""

    code = "file_rejected"


class NoPolls(RestmonError):
    """A report was requested, but the database has no polls."""

    code = "no_polls"


class BadRequest(RestmonError):
    """A value from the user cannot be used."""

    code = "bad_request"


class NotFound(RestmonError):
    """Nothing has the requested id or name."""

    code = "not_found"


class CannotUndo(RestmonError):
    """An import cannot be undone, or not any more. Nothing has changed."""

    code = "cannot_undo"


class DataChanged(RestmonError):
    """The data have changed since a report read them, so no more details can be given."""

    code = "data_changed"


class NotLoggedIn(RestmonError):
    """A request has no valid key or login."""

    code = "not_logged_in"


class TooManyTries(RestmonError):
    """Somebody tried too often and must wait."""

    code = "too_many_tries"


class TooManyRequests(RestmonError):
    """A key was used too often; ``retry_after`` is how many seconds to wait."""

    code = "too_many_requests"

    def __init__(self, message: str, hint: str = "", *, retry_after: int = 60) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class NoRoom(RestmonError):
    """A disk is full."""

    code = "no_room"


class NotWritable(RestmonError):
    """A folder of restmon is missing or cannot be written."""

    code = "not_writable"


class Forbidden(RestmonError):
    """The actor may not do what they requested."""

    code = "forbidden"


class DatabaseUnavailable(RestmonError):
    """The database cannot be opened, read or written."""

    code = "database_unavailable"


class Busy(DatabaseUnavailable):
    """Others keep the database busy. Nothing has changed."""

    code = "busy"


class DatabaseUnusable(DatabaseUnavailable):
    """Somebody must mend the database. Trying again does not help."""


class DatabaseDamaged(DatabaseUnusable):
    """The file of the database is not a whole database."""


class DatabaseNewer(DatabaseUnusable):
    """The database was written by a later restmon."""

    def __init__(self, place: str, migration: str) -> None:
        super().__init__(
            f"The database {place} was written by a later restmon ({migration}).",
            "Update restmon, or restore a backup from before the update.",
        )


@contextmanager
def exit_on_error() -> Iterator[None]:
    """End the process with status 2 and the sentence of a RestmonError that leaves the block."""
    try:
        yield
    except RestmonError as error:
        sys.stderr.write(f"restmon: {error}\n")
        sys.exit(2)
