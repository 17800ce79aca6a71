"""What writing polls into the database did."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Merged:
    """Counts of polls that were new, updated, or there already with the same status, and the
    earliest instant (microseconds) at which the data changed, None when they did not."""

    new: int
    updated: int
    unchanged: int
    earliest: int | None
