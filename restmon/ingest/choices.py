"""The user's choices for a file that can be read in several ways."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from restmon.errors import BadRequest, FileRejected
from restmon.ingest.headers import LAYOUTS, columns_of
from restmon.ingest.values.days import IN_WORDS, NUMBERINGS
from restmon.ingest.values.one_timestamp import DATE_ORDERS

DAY_NUMBERS, DATE_ORDER = "day_numbers", "date_order"
OPTIONS: dict[str, tuple[str, ...]] = {
    DAY_NUMBERS: tuple(NUMBERINGS),
    DATE_ORDER: DATE_ORDERS,
}
"""The choices that are never guessed, and their options."""
LABELS = {
    **{name: f"{words} ({name})" for name, words in IN_WORDS.items()},
    "month-first": "11/12/2026 is November 12 (month-first)",
    "day-first": "11/12/2026 is December 11 (day-first)",
}
MOST_COLUMNS = 100
LONGEST_COLUMN = 1000


class ChoiceNeeded(FileRejected):
    """A file can be read in two ways: ``choice`` is day_numbers or date_order."""

    def __init__(self, choice: str, message: str) -> None:
        option = choice.replace("_", "-")
        super().__init__(
            message,
            f"Choose one: {', '.join(OPTIONS[choice])} (Upload page; --{option}; the field "
            f"{choice} of POST /import_data).",
        )
        self.choice = choice


@dataclass(frozen=True)
class Choices:
    """Choices for a file. ``day_numbers`` and ``date_order`` are one of OPTIONS or None.
    ``columns`` maps ``kind.ours`` to the file's own name of the column."""

    day_numbers: str | None = None
    date_order: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The choices that were made."""
        found = {DAY_NUMBERS: self.day_numbers, DATE_ORDER: self.date_order}
        return {k: v for k, v in found.items() if v} | (
            {"columns": dict(self.columns)} if self.columns else {}
        )

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Choices":
        """Parse choices. Raises BadRequest for an unknown one."""
        for choice, options in OPTIONS.items():
            given = values.get(choice)
            if given and given not in options:
                raise BadRequest(
                    f"{choice}={str(given)[:40]!r} is not known.", f"Use {', '.join(options)}."
                )
        return cls(
            values.get(DAY_NUMBERS) or None,
            values.get(DATE_ORDER) or None,
            checked_columns(values.get("columns") or {}),
        )


NO_CHOICES = Choices()


def checked_columns(columns: Any) -> dict[str, str]:
    """Parse a choice of columns: ``{"polls.timestamp_utc": "Checked at"}``, or nested by kind as
    ``{"polls": {"timestamp_utc": "Checked at"}}``. Raises BadRequest for anything else."""
    example = 'Send such as {"polls": {"timestamp_utc": "Checked at"}}.'
    if not isinstance(columns, Mapping):
        raise BadRequest("columns is not a JSON object.", example)
    flat: dict[str, Any] = {}
    for key, value in columns.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{ours}": theirs for ours, theirs in value.items()}
        else:
            flat[str(key)] = value
    known = {f"{kind}.{ours}": None for kind in LAYOUTS for ours in columns_of(kind)}
    by_lower = {key.lower(): key for key in known}
    found = {}
    for key, value in list(flat.items())[: MOST_COLUMNS + 1]:
        if key.lower() not in by_lower:
            raise BadRequest(
                f"{key[:80]!r} is not a column of restmon.", f"Use {', '.join(list(known)[:8])} …"
            )
        if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_COLUMN:
            raise BadRequest(f"The column chosen for {key} is not a column's name.", example)
        found[by_lower[key.lower()]] = value.strip()
    if len(flat) > MOST_COLUMNS:
        raise BadRequest(f"{len(flat):,} columns are too many.", example)
    return found
