"""Strips of days as HTML: one bar a day, with its words on hover and tap, and as a list. Pure.

A bar is as full as the color says, so that nobody needs to see the color: blue for a day without
downtime; orange from the bottom up for downtime; hatched where little of the day was seen, and
grey where nothing was; a thin line where the store was closed.
"""

from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from restmon.charts.colors import DOWN, MUTED, SEEN_ENOUGH, UP
from restmon.core.day_sums import Days as Days  # noqa: PLC0414 - for who draws one
from restmon.core.formatting import US, Style, day, duration, share
from restmon.core.instants import date_of

Ints = NDArray[np.int64]

CLOSED, NO_DATA, NO_DOWNTIME = range(3)
"""The kinds of a day: closed, not seen, and up. A higher one is a day with downtime, by how high
its orange part is, from 1 to STEPS more."""
STEPS = 10
FULL_DOWN = 0.20
"""The share of downtime from which on a bar is orange to the top. Its height is that of the root,
so that a little downtime can be seen."""
CLASSES = ("closed", "unseen", "up", *(f"d{step}" for step in range(1, STEPS + 1)))

NO_DATA_STYLE = f"repeating-linear-gradient(135deg, {MUTED} 0 2px, transparent 2px 5px)"
_COLORS = "".join(
    f"\n.strip .d{step}, .mini .d{step} "
    f"{{background: linear-gradient(to top, {DOWN} {10 * step}%, {UP} {10 * step}%)}}"
    for step in range(1, STEPS + 1)
) + (
    f"\n.strip .up, .mini .up {{background: {UP}}}"
    f"\n.strip .unseen, .mini .unseen {{background: {NO_DATA_STYLE}}}"
    f"\n.strip .closed, .mini .closed {{height: 2px; background: {MUTED}}}"
    "\n.strip .pale, .mini .pale {opacity: 0.6}"
    '\n.strip .pale::before, .mini .pale::before {content: ""; display: block; height: 100%; '
    f"background: {NO_DATA_STYLE}}}"
)
STYLE = f"""{_COLORS}
.strip {{margin: 0 0 0.9rem}}
.strip-head {{display: flex; justify-content: space-between; gap: 1rem; font-size: 0.9rem;
  margin-bottom: 0.2rem}}
.strip-head span {{white-space: nowrap}}
.strip-head a {{color: inherit; font-weight: 600}}
.strip-bars {{position: relative; display: flex; gap: 1px; height: 2rem; align-items: flex-end}}
.strip-bars span {{flex: 1 1 0; min-width: 0; height: 100%; border-radius: 1px; cursor: default}}
.strip-bars span:hover, .strip-bars span:focus {{outline: 2px solid currentColor; opacity: 1}}
.strip-bars span:focus::after {{content: attr(title); position: absolute; left: 0; top: 100%;
  margin-top: 4px; padding: 0.2rem 0.5rem; border-radius: 0.3rem; background: #1B2733;
  color: #FFFFFF; font-size: 0.85rem; z-index: 2; max-width: 100%; text-align: left}}
.strip-foot {{display: flex; justify-content: space-between; font-size: 0.8rem; opacity: 0.8}}
.strip details {{font-size: 0.85rem}}
.strip summary {{cursor: pointer; opacity: 0.85; width: fit-content; margin: 0 auto}}
.strip ol {{list-style: none; padding: 0; margin: 0.3rem 0; columns: 19rem}}
.strip-key {{font-size: 0.85rem; opacity: 0.85; display: flex; flex-wrap: wrap; gap: 0.2rem 1rem}}
.strip-key i {{display: inline-block; width: 0.7rem; height: 0.9rem; vertical-align: -0.1rem;
  margin-right: 0.3rem; border-radius: 1px}}
"""
SMALL_STYLE = f"""{_COLORS}
.mini {{display: flex; gap: 1px; align-items: flex-end; width: 100%; min-width: 8rem;
  max-width: 12rem; height: 1.2rem}}
.mini i {{flex: 1 1 0; min-width: 0; height: 100%}}
"""
KEY = (
    ("up", "no downtime"),
    ("d3", "2% of open time down"),
    ("d5", "5%"),
    ("d10", "20% or more"),
    ("up pale", "hatched: less than 80% was seen"),
    ("unseen", "no data"),
)


def find_kinds(days: Days) -> tuple[Ints, NDArray[np.bool_]]:
    """Return the kind of each day (int64), and whether too little of it was seen (bool)."""
    total = days.up + days.down
    part = np.divide(days.down, total, out=np.zeros(len(days)), where=total > 0)
    steps = np.clip(np.ceil(STEPS * np.sqrt(part / FULL_DOWN)), 0, STEPS).astype(np.int64)
    kind = NO_DOWNTIME + steps
    kind[(days.covered == 0) | (total == 0)] = NO_DATA
    kind[days.open == 0] = CLOSED
    return kind, (kind > NO_DATA) & (days.covered < SEEN_ENOUGH * days.open)


def describe_days(days: Days, style: Style = US, through: str = "") -> list[str]:
    """Return each day in words, such as ``Sun, Nov 22: 98.2% up, 3 h 10 min down, 91% of open time
    was seen``. ``through`` says until when the last day goes."""
    kind, _ = find_kinds(days)
    texts = []
    for n, number in enumerate(days.dates.tolist()):
        name = day(date_of(number), style)
        if kind[n] == CLOSED:
            texts.append(f"{name}: closed")
            continue
        if kind[n] == NO_DATA:
            texts.append(f"{name}: no data, none of the open time was seen")
            continue
        up, down = int(days.up[n]), int(days.down[n])
        fallen = f"{duration(down)} down" if down else "no downtime"
        seen = share(int(days.covered[n]), int(days.open[n]))
        texts.append(f"{name}: {share(up, up + down)} up, {fallen}, {seen} of open time was seen")
    if texts and through:
        texts[-1] += f" (through {through})"
    return texts


def summarize_days(days: Days, style: Style = US) -> str:
    """Return a strip in one sentence, for screen readers."""
    if not len(days):
        return "No days yet"
    up, down = int(days.up.sum()), int(days.down.sum())
    kind, pale = find_kinds(days)
    first, last = (day(date_of(int(days.dates[n])), style) for n in (0, -1))
    parts = [f"{len(days)} days, {first} to {last}: {share(up, up + down)} up"]
    for counted, text in (
        (kind > NO_DOWNTIME, "with downtime"),
        (pale, "of which less than 80% was seen"),
        (kind == NO_DATA, "without data"),
    ):
        if counted.any():
            count = int(counted.sum())
            parts.append(f"{count} day{'' if count == 1 else 's'} {text}")
    return ", ".join(parts)


def write_strip(
    days: Days,
    label: str,
    href: str = "",
    style: Style = US,
    through: str = "",
    slots: int = 0,
) -> str:
    """Return a strip as HTML, without STYLE.

    Parameters
    ----------
    days : Days
    label : str
        What the strip is of, such as the name of a group. May be empty.
    href : str
        The address that the label opens, if any.
    style : Style
    through : str
        Until when the last day goes, if it is not whole.
    slots : int
        How many days there is room for, where history began later.
    """
    texts = describe_days(days, style, through)
    bars = "<span></span>" * (slots - len(days)) + "".join(
        f'<span class="{name}" title="{escape(text)}" tabindex="-1"></span>'
        for name, text in zip(_class_names(days), texts, strict=True)
    )
    before = min(round(100 * max(slots - len(days), 0) / max(slots, 1), 1), 60)
    moved = f' style="margin-left: {before}%"' if before else ""
    up, down = int(days.up.sum()), int(days.down.sum())
    name = f'<a href="{escape(href)}">{escape(label)}</a>' if href else f"<b>{escape(label)}</b>"
    seen = share(int(days.covered.sum()), int(days.open.sum()))
    total = f"{share(up, up + down)} up · coverage {seen}" if up + down else "no data"
    head = f'<div class="strip-head">{name}<span>{total}</span></div>'
    ends = [day(date_of(int(days.dates[n])), style) for n in (0, -1)] if len(days) else ["", ""]
    listed = "".join(f"<li>{escape(text)}</li>" for text in reversed(texts))
    about = f"{label}: {summarize_days(days, style)}" if label else summarize_days(days, style)
    return (
        f'<div class="strip">{head}'
        f'<div class="strip-bars" role="img" aria-label="{escape(about)}">{bars}</div>'
        f'<div class="strip-foot"{moved}>'
        f"<span>{ends[0]}</span><span>{ends[1]}</span></div>"
        f"<details><summary>Day by day</summary><ol>{listed}</ol></details></div>"
    )


def write_key() -> str:
    """Return what the bars mean, as HTML."""
    entries = "".join(f'<span><i class="{name}"></i>{text}</span>' for name, text in KEY)
    return f'<div class="strip strip-key" aria-hidden="true">{entries}</div>'


def write_small_strip(days: Days, style: Style = US, slots: int = 0) -> str:
    """Return a strip for a row of a table as HTML, without SMALL_STYLE, with its summary in words.
    ``slots`` is how many days there is room for, where history began later."""
    bars = "<i></i>" * (slots - len(days)) + "".join(
        f'<i class="{name}"></i>' for name in _class_names(days)
    )
    about = escape(summarize_days(days, style))
    return f'<span class="mini" role="img" aria-label="{about}" title="{about}">{bars}</span>'


def _class_names(days: Days) -> Sequence[str]:
    kind, pale = find_kinds(days)
    return [
        CLASSES[which] + (" pale" if is_pale else "")
        for which, is_pale in zip(kind.tolist(), pale.tolist(), strict=True)
    ]
