"""What an import accepts."""

from dataclasses import dataclass

from restmon.core.instants import LATEST
from restmon.errors import FileRejected


@dataclass(frozen=True)
class Limits:
    """The largest file that is read: ``text`` bytes, unpacked, and ``lines``, and the names of the
    settings that raise these limits."""

    text: int
    lines: int
    text_setting: str
    lines_setting: str

    def check(self, name: str, text: int, lines: int) -> None:
        """Raise :class:`FileRejected` for a larger file."""
        if text > self.text:
            raise FileRejected(
                f"{name} is larger than {self.text // 2**20:,} MB"
                " (of text: a gzip file is measured unpacked).",
                f"Import it in parts, or raise {self.text_setting}.",
            )
        if lines > self.lines:
            raise FileRejected(
                f"{name} has more than {self.lines:,} lines.",
                f"Import it in parts, or raise {self.lines_setting}.",
            )


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
