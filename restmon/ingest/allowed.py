"""What of a file is taken."""

from dataclasses import dataclass

from restmon.core.instants import LATEST
from restmon.ingest.csv_reader import Limits


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What an import, or a preview of one, takes.

    Rejected are lines of stores other than those ``permitted`` (None: all are), other hours of
    groups other than ``groups`` (as `same_name` compares them; None: all), polls made after the
    instant ``latest`` (microseconds), and files beyond the ``limits``.
    """

    permitted: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    latest: int = LATEST
    limits: Limits | None = None


EVERYTHING = Allowed()
