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


class NotLoggedIn(RestmonError):
    """Something was asked for without a key or a login that is good."""

    code = "not_logged_in"


class TooManyTries(RestmonError):
    """Somebody tried too often, and has to wait."""

    code = "too_many_tries"


class Forbidden(RestmonError):
    """Something was asked for that the asker may not do."""

    code = "forbidden"


class DatabaseUnavailable(RestmonError):
    """The database cannot be opened, read or written."""

    code = "database_unavailable"


class DatabaseDamaged(DatabaseUnavailable):
    """The file of the database is no whole database."""


@contextmanager
def told_at_the_end() -> Iterator[None]:
    """Where a RestmonError leaves the block, end the process with its sentence and status 2."""
    try:
        yield
    except RestmonError as error:
        sys.stderr.write(f"restmon: {error}\n")
        sys.exit(2)
