"""One sentence on how many stores are up, down, or not known. Pure."""

from collections.abc import Sequence

from restmon.core.findings import count_of
from restmon.core.status_now import (
    CLOSED,
    DOWN,
    HOURS_UNREADABLE,
    NO_DATA,
    NOT_REPORTING,
    RETIRED,
    UP,
)


def describe_fleet(counts: Sequence[int], *, stale: bool = False) -> str:
    """Return such as ``3 of 40 stores are down, 2 have stopped reporting, the rest are fine``.

    Parameters
    ----------
    counts : sequence of int
        How many stores have each status of `status_now.STATUS_NAMES`. Retired stores are left out.
    stale : bool
        Whether the polls have stopped: then the sentence is about the last known states.
    """
    total = sum(counts) - counts[RETIRED]
    if not total:
        return "No store is in business."
    fine = counts[UP] + counts[CLOSED]
    if fine == total:
        return _all_fine(counts, total, stale)
    be, have = ("was", "had") if stale else ("is", "has")
    parts = [
        _part(counts[DOWN], be, "down"),
        _part(counts[NOT_REPORTING], have, "stopped reporting"),
        _part(counts[NO_DATA], have, "no polls"),
        _part(counts[HOURS_UNREADABLE], have, "unreadable hours"),
    ]
    said = [part for part in parts if part]
    number, rest = said[0].split(" ", 1)
    said[0] = f"{number} of {count_of(total, 'store')} {rest}"
    if fine:
        said.append(f"the rest {'were' if stale else 'are'} fine")
    text = ", ".join(said)
    return f"At the last poll, {text}." if stale else f"{text}."


def _all_fine(counts: Sequence[int], total: int, stale: bool) -> str:
    past = ("was", "were") if stale else ("is", "are")
    if counts[CLOSED] == total:
        state = "closed"
    elif counts[CLOSED]:
        state = "up or closed"
    else:
        state = "up"
    if total == 1:
        text = f"the one store {past[0]} {state}"
    else:
        text = f"all {total:,} stores {past[1]} {state}"
    return f"At the last poll, {text}." if stale else f"{text[0].upper()}{text[1:]}."


def _part(number: int, verb: str, state: str) -> str:
    """Such as ``3 are down``; "" for none."""
    if not number:
        return ""
    plural = {"is": "are", "has": "have", "was": "were", "had": "had"}
    return f"{number:,} {verb if number == 1 else plural[verb]} {state}"
