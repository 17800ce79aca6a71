"""The hours up and down of each local date, as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from restmon.charts.style import (
    DOWN,
    HATCH,
    NO_DATA_HATCH,
    NO_DATA_KEY,
    PALE,
    STATUS_KEY,
    UP,
    Floats,
    Frame,
    date_names,
    key,
    make_figure,
    whole_percent,
)
from restmon.core.formatting import US, Style, day


@dataclass(frozen=True)
class DayBars:
    """The hours up and down of local dates: ``seen_up`` and ``seen_down`` are the parts of them
    that are near a poll."""

    dates: Sequence[Any]
    up: Floats
    down: Floats
    seen_up: Floats
    seen_down: Floats


def draw_daily_uptime(found: DayBars, style: Style = US) -> go.Figure:
    """Hours up and down of each local date, stacked, pale and hatched where nobody saw them, with
    the share of uptime above."""
    days = pd.DatetimeIndex(list(found.dates))
    names = [f"{day:%a}<br>{day.day}" for day in days]
    if len(days) > 10:
        names = [f"{day.day}<br>{day:%b}" for day in days]
    seen = (found.seen_up + found.seen_down).tolist()
    shares = [
        "no data" if up + down and not saw else whole_percent(up, up + down)
        for up, down, saw in zip(found.up.tolist(), found.down.tolist(), seen, strict=True)
    ]
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "x": names,
            "y": hours,
            "name": name,
            "marker": marker,
            "customdata": date_names(days),
            "hovertemplate": f"%{{customdata}}: %{{y:.2f}} h {name.lower()}<extra></extra>",
        }
        for name, hours, marker in (
            ("Up", found.seen_up, {"color": UP}),
            (
                "Up, no poll near",
                np.maximum(found.up - found.seen_up, 0),
                {"color": PALE[UP], "pattern": NO_DATA_HATCH},
            ),
            ("Down", found.seen_down, {"color": DOWN, "pattern": HATCH}),
            (
                "Down, no poll near",
                np.maximum(found.down - found.seen_down, 0),
                {"color": PALE[DOWN], "pattern": NO_DATA_HATCH},
            ),
        )
    ]
    if len(names) <= 10:
        traces[-1] |= {"text": shares, "textposition": "outside", "cliponaxis": False}
    title = "Local date"
    if len(days):
        title += f", {day(days[0], style)} – {day(days[-1], style)}"
    return make_figure(
        traces,
        Frame(
            "Uptime of each day",
            height=340,
            left=56,
            bottom=66,
            subtitle=key(*STATUS_KEY, NO_DATA_KEY),
        ),
        x={"title": title, "type": "category", "nticks": 8},
        y={"title": "Hours of business", "rangemode": "tozero", "showgrid": True},
        barmode="stack",
    )
