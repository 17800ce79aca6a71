"""The timeline of the last report, kept for the next one.

An hour's polls change little: what the polls before them say stays, and the next report only
looks at those that came in since (`restmon/core/settled.py`)::

    first report      |-- 8 days, read and computed -------------|
    an hour later     |-- kept ----------------------------------|-- followed --|
    five hours later  |-- kept, now longer -------------------------------|-----|

A kept timeline goes with the state of the data that it was made from (`snapshot.Snapshot`). It is
dropped when an earlier poll, hours or zones change. Each day at midnight UTC, when the days of the
open intervals change, it is made anew.
"""

from dataclasses import dataclass, replace

from restmon.core.instants import DAY, HOUR
from restmon.core.observations import Polls
from restmon.core.settled import Settled, go_on, settle
from restmon.core.timeline import Timeline

LAG = HOUR
"""A timeline that goes on leaves out so much at its end, where polls may still come in."""
LONGEST_LATER = 4 * HOUR
"""How much is followed anew in each report before the kept part goes on."""


@dataclass(frozen=True)
class KeptLine:
    """A timeline of all stores, settled before the instant ``until``. It serves reports as of that
    instant or later on the same ``day`` (UTC), on windows that begin at ``begin`` or later."""

    settled: Settled
    until: int
    begin: int
    day: int

    def serves(self, as_of: int, window: int) -> bool:
        """Whether a report as of the instant on the window before it can be read from it."""
        later = self.until <= as_of + 1 and self.begin <= as_of - window
        return later and as_of // DAY == self.day

    def followed(self, polls: Polls) -> Timeline:
        """The timeline up to a report's instant, with the polls from ``until`` to it."""
        return go_on(self.settled, polls).line

    def going_on(self, as_of: int, polls: Polls) -> "KeptLine":
        """The same with more of these polls, if there are many."""
        until = as_of - LAG
        if until - self.until < LONGEST_LATER - LAG:
            return self
        settled = go_on(self.settled, polls.between(self.until, until - 1))
        return replace(self, settled=settled, until=until)


def keep(
    line: Timeline, method: str, polls: Polls, earlier: Polls, span: tuple[int, int], lag: bool
) -> KeptLine:
    """What to keep of the timeline of a report; ``span`` is its window. With ``lag``, leave out the
    last hour."""
    begin, as_of = span
    until = as_of - LAG if lag else as_of + 1
    settled = settle(line, method, polls, earlier, until if lag else None)
    return KeptLine(settled, until, begin, as_of // DAY)
