"""Figures on paper: arrays -> SVG, in the colors of the dashboard. Pure.

No text from outside is drawn: the labels are numbers and dates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from restmon.charts.colors import DOWN, MUTED, PALE_DOWN, PALE_UP, UP
from restmon.core.instants import date_of

Floats = NDArray[np.float64]

FONT = "Source Sans Pro"
MOST_BARS = 62
LABELS = 16
GRID = "#E3E8EC"
TEXT = "#4A5560"


@dataclass(frozen=True)
class Bars:
    """Hours of days: float64 arrays of one length. ``days`` are days after 1970-01-01. ``seen`` is
    the part of ``open`` that is near a poll."""

    days: Sequence[int]
    open: Floats
    up: Floats
    down: Floats
    seen: Floats


@dataclass(frozen=True)
class Size:
    """The size of a figure in points."""

    width: float
    height: float


def gather(found: Bars) -> tuple[Bars, int]:
    """The bars in at most `MOST_BARS`, and how many days each has: some days together where there
    are more."""
    count = len(found.days)
    days = -(-count // MOST_BARS) if count > MOST_BARS else 1
    if days > 1:
        days = max(days, 7)
    starts = np.arange(0, count, days)
    if days == 1:
        return found, 1

    def add(values: Floats) -> Floats:
        return np.add.reduceat(values, starts)

    sums = (add(values) for values in (found.open, found.up, found.down, found.seen))
    return Bars([found.days[n] for n in starts.tolist()], *sums), days


def draw_down_bars(found: Bars, size: Size) -> str:
    """Return the hours down of each day as SVG. A day without a poll near is pale, and marked "no
    data" if it has no downtime; one without open time is marked "closed"."""
    bars, days = gather(found)
    count = len(bars.days)
    if not count:
        return _svg(size, [])
    left, right, top, bottom = 34.0, 4.0, 16.0, 26.0
    width, height = size.width - left - right, size.height - top - bottom
    most = float(bars.down.max(initial=0.0))
    step = _step(most)
    limit = max(step * np.ceil(most / step), step) if most else 1.0
    parts = []
    ticks = np.arange(0, limit + step / 2, step) if most else np.array([0.0])
    for tick in ticks.tolist():
        y = top + height * (1 - tick / limit)
        parts.append(_line(left, left + width, y, GRID if tick else MUTED))
        parts.append(_text(left - 5, y + 3, _number(tick), "end"))
    slot = width / count
    every = -(-count // LABELS)
    # Numbers above the bars need room for five digits.
    numbered = slot >= 22
    for n in range(count):
        x = left + slot * n
        middle = x + slot / 2
        down, opened = float(bars.down[n]), float(bars.open[n])
        claimed = float(bars.up[n] + bars.down[n])
        bar = min(slot * 0.66, 34)
        seen = bool(bars.seen[n])
        floor = top + height
        if down > 0:
            tall = max(height * down / limit, 0.8)
            parts.append(
                _rect(middle - bar / 2, floor - tall, bar, tall, DOWN if seen else PALE_DOWN)
            )
            if numbered:
                text = _number(round(down, 1 if down >= 0.05 else 2))
                parts.append(_text(middle, floor - tall - 4, text, "middle"))
        elif claimed and seen:
            parts.append(_rect(middle - bar / 2, floor - 1.5, bar, 1.5, UP))
        else:
            color = PALE_UP if opened else GRID
            parts.append(_rect(middle - bar / 2, floor - 3, bar, 3, color))
            if numbered:
                word = "no data" if opened else "closed"
                parts.append(_text(middle, floor - 6, word, "middle", 6.5))
        if n % every == 0:
            first, second = _labels(date_of(bars.days[n]), count, days)
            parts.append(_text(middle, top + height + 11, first, "middle"))
            parts.append(_text(middle, top + height + 20, second, "middle"))
    return _svg(size, parts)


def _labels(day: date, count: int, days: int) -> tuple[str, str]:
    if count <= 10 and days == 1:
        return f"{day:%a}", f"{day:%b} {day.day}"
    return str(day.day), f"{day:%b}"


def _step(most: float) -> float:
    """A round distance of grid lines, of which the largest value has two to five."""
    if most <= 0:
        return 1.0
    rough = most / 4
    size = 10.0 ** np.floor(np.log10(rough))
    return float(next(size * n for n in (1, 2, 2.5, 5, 10) if size * n >= rough))


def _number(value: float) -> str:
    """A number without needless zeros."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value < 1000 else f"{value:,.0f}"


def _rect(x: float, y: float, width: float, height: float, color: str) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{color}"/>'
    )


def _line(x1: float, x2: float, y: float, color: str) -> str:
    return f'<path d="M{x1:.2f} {y:.2f}H{x2:.2f}" stroke="{color}" stroke-width="0.6"/>'


def _text(x: float, y: float, text: str, anchor: str, size: float = 8) -> str:
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-family="{FONT}" font-size="{size}" fill="{TEXT}" '
        f'text-anchor="{anchor}">{text}</text>'
    )


def _svg(size: Size, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size.width:.0f}" '
        f'height="{size.height:.0f}" viewBox="0 0 {size.width:.0f} {size.height:.0f}">'
        f"{''.join(parts)}</svg>"
    )
