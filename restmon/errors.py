"""What a user can be told: one sentence for what went wrong, one for how to mend it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


class RestmonError(Exception):
    """An error whose message is meant for the user as it stands.

    ``code`` is a stable word for programs, ``message`` one sentence that says what and where,
    ``hint`` one that says how to mend it ("" when the message already does).
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
    """An input file that is rejected whole (SEMANTICS.md, "Inputs"): nothing was changed."""

    code = "file_rejected"


class NoPolls(RestmonError):
    """A report was asked of a database without polls."""

    code = "no_polls"


class BadRequest(RestmonError):
    """A value given by the user that cannot be used."""

    code = "bad_request"


class NotFound(RestmonError):
    """Something was asked for by an id that is not there."""

    code = "not_found"


class CannotUndo(RestmonError):
    """An import that cannot be undone, or not any more: nothing was changed."""

    code = "cannot_undo"


class DataChanged(RestmonError):
    """What a report read has changed since, so that no more can be said of it."""

    code = "data_changed"


class NotLoggedIn(RestmonError):
    """Something was asked for without a key or a login that is good."""

    code = "not_logged_in"


class TooManyTries(RestmonError):
    """Somebody tried too often, and has to wait."""

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
    """A folder of restmon's is not there or cannot be written."""

    code = "not_writable"


class Forbidden(RestmonError):
    """Something was asked for that the asker may not do."""

    code = "forbidden"


class DatabaseUnavailable(RestmonError):
    """The database cannot be opened, read or written."""

    code = "database_unavailable"


class DatabaseUnusable(DatabaseUnavailable):
    """The database stays as it is until somebody mends it: to try again does not help."""


class DatabaseDamaged(DatabaseUnusable):
    """The file of the database is no whole database."""


class DatabaseNewer(DatabaseUnusable):
    """The database was written by a later restmon."""

    def __init__(self, place: str, migration: str) -> None:
        super().__init__(
            f"The database {place} was written by a later restmon ({migration}).",
            "Update restmon, or restore a backup from before the update.",
        )


@contextmanager
def told_at_the_end() -> Iterator[None]:
    """Where a RestmonError leaves the block, end the process with its sentence and status 2."""
    try:
        yield
    except RestmonError as error:
        sys.stderr.write(f"restmon: {error}\n")
        sys.exit(2)
