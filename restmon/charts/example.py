"""The figure of the worked example."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from restmon.charts.style import (
    DOWN,
    EXAMPLE_KEY,
    GROUND,
    HATCH,
    OPEN,
    POLL_EDGE,
    UP,
    Frame,
    Ints,
    make_figure,
)
from restmon.core.formatting import US, Style, wall_time
from restmon.core.instants import HOUR, MINUTE


def draw_example(
    rows: Sequence[tuple[str, Ints, Ints, NDArray[np.int8]]],
    opens: int,
    closes: int,
    polls: Sequence[tuple[int, int]],
    style: Style = US,
) -> go.Figure:
    """Draw the worked example: a row for each method, (name, span starts, span ends, statuses),
    times in microseconds since midnight. ``polls`` are (time, status)."""
    places = list(range(len(rows)))
    bar = {"type": "bar", "orientation": "h", "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        {
            **bar,
            "y": places,
            "x": [(closes - opens) / HOUR] * len(rows),
            "base": [opens / HOUR] * len(rows),
            "width": 0.86,
            "marker": {"color": OPEN},
        }
    ]
    annotations = []
    for status, marker in ((1, {"color": UP}), (0, {"color": DOWN, "pattern": HATCH})):
        for place, (_, start, end, statuses) in zip(places, rows, strict=True):
            mine = statuses == status
            length = (end - start)[mine] / HOUR
            traces.append(
                {
                    **bar,
                    "y": [place] * len(length),
                    "x": length,
                    "base": start[mine] / HOUR,
                    "width": 0.5,
                    "marker": marker,
                }
            )
            for begin, hours in zip((start[mine] / HOUR).tolist(), length.tolist(), strict=True):
                # With its own background, because letters on the hatching are hard to read.
                annotations.append(
                    {
                        "x": begin + hours / 2,
                        "y": place,
                        "text": f"<b>{hours * 60:g} min</b>",
                        "showarrow": False,
                        "font": {"color": "#FFFFFF", "size": 14},
                        "bgcolor": GROUND[status],
                        "borderpad": 2,
                    }
                )
    for status, symbol in ((1, "circle"), (0, "x")):
        mine = [time / HOUR for time, found in polls if found == status]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [time for _ in places for time in mine],
                "y": [place - 0.36 for place in places for _ in mine],
                "marker": {
                    "symbol": symbol,
                    "size": 11,
                    "color": "#FFFFFF",
                    "line": {"width": 2, "color": POLL_EDGE[status]},
                },
                "hoverinfo": "skip",
            }
        )
    ticks = [opens / HOUR, *(time / HOUR for time, _ in polls), closes / HOUR]
    return make_figure(
        traces,
        Frame("Two polls, three open hours", height=280, left=98, subtitle=EXAMPLE_KEY),
        x={
            "range": [opens / HOUR - 0.15, closes / HOUR + 0.15],
            "tickvals": ticks,
            "ticktext": [wall_time(round(t * 60) * MINUTE, style) for t in ticks],
            "title": "Monday, local time",
            "showgrid": False,
        },
        y={
            "title": "Method",
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": places,
            "ticktext": [name.replace(" ", "<br>") for name, *_ in rows],
            "showgrid": False,
        },
        barmode="overlay",
        annotations=annotations,
    )
