"""Findings about the data, in the words of pages, API and command line. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from restmon.core.id_pairs import CASE, DECIMALS, ROUNDED, ZEROS, IdPair

MOST_EXAMPLES = 20
NO_NAMES: Mapping[str, str | None] = {}

PAIR_CODES = {
    ROUNDED: "rounded_ids",
    DECIMALS: "ids_with_decimals",
    ZEROS: "ids_without_zeros",
    CASE: "ids_in_other_case",
}
FINDING_CODES = (
    "unreadable_hours",
    *PAIR_CODES.values(),
    "stale_feed",
    "stale_stores",
    "future_polls",
    "no_polls",
    "no_hours",
    "no_zone",
    "fixed_offset_zone",
    "polled_after_closing",
    "same_names",
)
"""The codes of the data check, in its order."""


@dataclass(frozen=True)
class Example:
    """A store that a finding is about: its id, the id of the store that is likely the same one (or
    None), a detail ("" if there is none), and its name if it has one."""

    store_id: str
    likely: str | None = None
    detail: str = ""
    name: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The example as an object."""
        return {
            "store_id": self.store_id,
            "name": self.name,
            "likely": self.likely,
            "detail": self.detail,
        }


@dataclass(frozen=True)
class Finding:
    """Something that is likely wrong: a ``code`` that never changes, how many cases there are, a
    sentence about them, the one thing to do, and the first examples. ``stores`` is how many stores
    it is about, if that is not the count."""

    code: str
    count: int
    message: str
    action: str
    examples: tuple[Example, ...] = ()
    stores: int | None = None

    @property
    def more(self) -> int:
        """How many stores it is about besides the examples."""
        return (self.count if self.stores is None else self.stores) - len(self.examples)

    def as_json(self) -> dict[str, Any]:
        """The finding as an object."""
        return {
            "code": self.code,
            "count": self.count,
            "message": self.message,
            "action": self.action,
            "examples": [example.as_json() for example in self.examples],
        }


def count_of(number: int, one: str, many: str = "") -> str:
    """A number and its noun: ``1 store``, ``2 stores``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def have(number: int) -> str:
    """The verb for a number: ``1 store has``, ``2 stores have``."""
    return "has" if number == 1 else "have"


def describe_pairs(kind: str, count: int) -> tuple[str, str]:
    """(message, action) for a number of ids that were changed in one of the ways of `id_pairs`."""
    ids, one = count_of(count, "store id"), count == 1
    if kind == ROUNDED:
        return (
            f"{ids} {'looks' if one else 'look'} rounded by a spreadsheet, which keeps 15 digits "
            "of a number, and "
            f"{'counts as a store of its own' if one else 'count as stores of their own'}.",
            "Export the file again without opening it in a spreadsheet, and import it.",
        )
    if kind == DECIMALS:
        return (
            f"{ids} {'ends' if one else 'end'} in “.0”, as a program writes numbers, and "
            f"{'counts as a store of its own' if one else 'count as stores of their own'}.",
            "Take the “.0” out of the file and import it again.",
        )
    if kind == ZEROS:
        return (
            f"{ids} {'has' if one else 'have'} likely lost leading zeros, and "
            f"{'counts as a store of its own' if one else 'count as stores of their own'}.",
            "Write the ids with their zeros, as text, and import the file again.",
        )
    return (
        f"{ids} {'differs' if one else 'differ'} from another one in capital letters alone, and "
        f"{'counts as a store of its own' if one else 'count as stores of their own'}.",
        "Write the id in one way in all files and import them again.",
    )


def describe_pair(pair: IdPair, name: str | None = None) -> Example:
    """The example for a pair of ids; the changed one has the name."""
    detail = ""
    if pair.likely is None:
        some = ", ".join(pair.candidates[:3])
        more = ", …" if len(pair.candidates) > 3 else ""
        detail = f"may be any of {len(pair.candidates):,} stores: {some}{more}"
    return Example(pair.written, pair.likely, detail, name)


def find_changed_ids(
    pairs: Sequence[IdPair],
    rounded: Sequence[str] = (),
    names: Mapping[str, str | None] = NO_NAMES,
) -> list[Finding]:
    """Return a finding for each way in which ids were changed.

    Parameters
    ----------
    pairs : sequence of IdPair
    rounded : sequence of str
        Ids that look rounded, in pairs or not.
    names : mapping of str to str or None, optional
        The stores' names by their ids.
    """
    findings = []
    for kind, code in PAIR_CODES.items():
        examples = [
            describe_pair(pair, names.get(pair.written)) for pair in pairs if pair.kind == kind
        ]
        if kind == ROUNDED:
            known = {example.store_id for example in examples}
            examples += [
                Example(store_id, name=names.get(store_id))
                for store_id in rounded
                if store_id not in known
            ]
        if examples:
            message, action = describe_pairs(kind, len(examples))
            findings.append(
                Finding(code, len(examples), message, action, tuple(examples[:MOST_EXAMPLES]))
            )
    return findings
