"""What an import accepts."""

from dataclasses import dataclass

from restmon.core.instants import LATEST
from restmon.ingest.csv_reader import Limits


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What an import, or a preview of one, accepts.

    It rejects lines of stores that are not ``permitted`` (None: all are), other hours of groups
    that are not in ``groups`` (in the form of `same_name`; None: all are), polls after the instant
    ``latest``, and files beyond the ``limits``.
    """

    permitted: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    latest: int = LATEST
    limits: Limits | None = None


EVERYTHING = Allowed()
