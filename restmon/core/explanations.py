"""Why a span is up or down, and why it begins and ends where it does. Pure.

The rules are SEMANTICS.md's, "From polls to time": a span is decided by one observation, and
ends where the store closes or where the next observation takes over.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restmon.core.timeline import PREVIOUS, Timeline, cut_spans

Ints = NDArray[np.int64]

OPENING = "opening"
"""The store opens there."""
CLOSING = "closing"
"""The store closes there."""
MIDPOINT = "midpoint"
"""Halfway between two observations."""
POLL = "poll"
"""An observation that takes over at its own instant (the method ``previous``)."""
RANGE = "range"
"""The edge of the requested range. The span goes on beyond it."""
KINDS = np.array([OPENING, CLOSING, MIDPOINT, POLL, RANGE])


@dataclass(frozen=True)
class Edges:
    """Why each span begins (or ends) where it does: arrays of one length.

    Attributes
    ----------
    kind : array of str
        OPENING, CLOSING, MIDPOINT, POLL or RANGE.
    before, after : int64 arrays, instants
        For MIDPOINT and POLL, the observations on its two sides; otherwise both are 0.
    """

    kind: NDArray[np.str_]
    before: Ints
    after: Ints


@dataclass(frozen=True)
class ExplainedSpans:
    """Spans of one status inside business hours with their reasons: arrays of one length, sorted
    by store, then time.

    Attributes
    ----------
    store : int64 array
    start, end : int64 arrays, instants, rounded down
    status : int8 array
        1 = up.
    poll, last_poll : int64 arrays, instants
        The first and the last observation that decides the span; they differ only after
        `join_spans`.
    polls : int64 array
        How many observations decide it.
    carried : bool array
        The observation was made in another open interval, as there was none in this one.
    starts, ends : Edges
    """

    store: Ints
    start: Ints
    end: Ints
    status: NDArray[np.int8]
    poll: Ints
    last_poll: Ints
    polls: Ints
    carried: NDArray[np.bool_]
    starts: Edges
    ends: Edges

    def __len__(self) -> int:
        return len(self.start)


def explain_spans(line: Timeline, lo: int, hi: int, method: str) -> ExplainedSpans:
    """Return the spans inside [lo, hi) (instants) with their reasons, one for each deciding
    observation and open interval. ``method`` is the timeline's, which must not be of runs."""
    found = cut_spans(line, lo, hi)
    clock, n, p = line.clock, found.observation, found.interval
    begin = np.maximum(line.begin[n], clock.total[p])
    end = np.minimum(line.end[n], clock.total[p + 1])
    return ExplainedSpans(
        found.store,
        found.start,
        found.end,
        found.status,
        found.poll,
        found.poll,
        np.ones(len(n), np.int64),
        (found.poll < clock.intervals.start[p]) | (found.poll >= clock.intervals.end[p]),
        _edges(
            line,
            n - 1,
            outside=clock.doubled_instants(p, begin) < 2 * lo,
            turn=begin == clock.total[p],
            word=OPENING,
            method=method,
        ),
        _edges(
            line,
            n,
            outside=clock.doubled_instants(p, end) > 2 * hi,
            turn=end == clock.total[p + 1],
            word=CLOSING,
            method=method,
        ),
    )


def _edges(
    line: Timeline,
    before: Ints,
    *,
    outside: NDArray[np.bool_],
    turn: NDArray[np.bool_],
    word: str,
    method: str,
) -> Edges:
    """The edges at which the observation ``before`` ends and the next one begins, except edges that
    are ``outside`` of the range, or where the store opens or closes (``turn``, named ``word``)."""
    takeover = POLL if method == PREVIOUS else MIDPOINT
    kind = np.where(outside, RANGE, np.where(turn, word, takeover))
    between = ~outside & ~turn
    n = np.where(between, before, 0)
    nothing = np.zeros(len(n), np.int64)
    if not len(line.time):
        return Edges(kind, nothing, nothing)
    after = line.time[np.minimum(n + 1, len(line.time) - 1)]
    return Edges(kind, np.where(between, line.time[n], 0), np.where(between, after, 0))


def join_spans(found: ExplainedSpans) -> ExplainedSpans:
    """Join neighboring spans of one status in one open interval, as a person sees them. The edges
    are the first one's start and the last one's end."""
    if not len(found):
        return found
    begins = np.ones(len(found), bool)
    begins[1:] = (
        (found.store[1:] != found.store[:-1])
        | (found.status[1:] != found.status[:-1])
        | (found.ends.kind[:-1] == CLOSING)
        | (found.ends.kind[:-1] == RANGE)
    )
    first = np.flatnonzero(begins)
    last = np.append(first[1:], len(found)) - 1
    return ExplainedSpans(
        found.store[first],
        found.start[first],
        found.end[last],
        found.status[first],
        found.poll[first],
        found.last_poll[last],
        np.add.reduceat(found.polls, first),
        found.carried[first],
        _at(found.starts, first),
        _at(found.ends, last),
    )


def _at(edges: Edges, n: Ints) -> Edges:
    return Edges(edges.kind[n], edges.before[n], edges.after[n])
