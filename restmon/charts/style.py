"""The look that all figures share: colors, keys, axes, and local dates.

Colors are told apart also by people who do not see red and green, and none is the only signal:
down time is hatched, inactive polls are crosses. Backgrounds are transparent, so that the
figures fit a light and a dark page. Instants are int64 microseconds since the epoch, UTC.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import NDArray

from restmon.charts import colors

UP, DOWN, MUTED = colors.UP, colors.DOWN, colors.MUTED
SEEN_ENOUGH = colors.SEEN_ENOUGH

Ints = NDArray[np.int64]


Floats = NDArray[np.floating[Any]]


OPEN = "rgba(128, 142, 156, 0.30)"


GROUND = {1: "#1D5C93", 0: "#A8420C"}


POLL_EDGE = {1: "#0F3A5F", 0: "#7A2E00"}


HATCH = {
    "shape": "/",
    "size": 7,
    "solidity": 0.25,
    "fillmode": "overlay",
    "fgcolor": "#FFFFFF",
    "fgopacity": 0.6,
}


def key(*entries: tuple[str, str, str]) -> str:
    """What the colors and symbols mean, as one line: (symbol, color, text) each."""
    return "   ".join(f'<span style="color:{c}"><b>{s}</b></span> {text}' for s, c, text in entries)


PALE = {UP: "rgba(47, 127, 193, 0.30)", DOWN: "rgba(217, 96, 26, 0.32)"}
"""The colors of time that nobody saw."""


NO_DATA_HATCH = {
    "shape": "\\",
    "size": 6,
    "solidity": 0.22,
    "fillmode": "overlay",
    "fgcolor": MUTED,
    "fgopacity": 0.9,
}


NO_DATA_KEY = ("▧", MUTED, "no data")


STATUS_KEY = (("■", UP, "up"), ("▨", DOWN, "down"))


TIMELINE_KEY = "<br>".join(
    [
        key(*STATUS_KEY, NO_DATA_KEY, ("■", "#B9C1C9", "open")),
        key(("○", UP, "active poll"), ("✕", DOWN, "inactive poll")),
    ]
)
"""In two lines, for a phone."""


EXAMPLE_KEY = key(
    *STATUS_KEY, ("■", "#B9C1C9", "open"), ("○", UP, "active"), ("✕", DOWN, "inactive")
)


@dataclass(frozen=True)
class Frame:
    """The surroundings of a figure: its title and the line below it, its height, and the room for
    the labels of its axes (``left`` and ``bottom``), in pixels."""

    title: str
    height: int
    left: int
    bottom: int = 50
    subtitle: str = ""


def make_figure(
    traces: Sequence[dict[str, Any]],
    frame: Frame,
    *,
    x: dict[str, Any],
    y: dict[str, Any],
    **options: Any,
) -> go.Figure:
    """The traces in the look that all figures share: title and key above, no legend over data.

    ``x`` and ``y`` are the figure's own options of its axes. The frame has the room for their
    labels. Plotly can measure that itself (``automargin``), but it then draws everything twice,
    which is a tenth of the time to load a page. Make a figure in one piece: adding to it and
    updating it part by part takes ten times as long.
    """
    axis = {
        "fixedrange": True,
        "automargin": False,
        "tickangle": 0,
        "ticklabeloverflow": "allow",
    }
    look = {
        "title": {
            "text": frame.title,
            "subtitle": {"text": frame.subtitle, "font": {"size": 13}},
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "y": 1,
            "yanchor": "top",
            "yref": "container",
            "pad": {"t": 6, "l": 2},
            "font": {"size": 16},
        },
        "height": frame.height,
        "margin": {
            "l": frame.left,
            "r": 18,
            "t": 64 + 18 * frame.subtitle.count("<br>") if frame.subtitle else 44,
            "b": frame.bottom,
        },
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "showlegend": False,
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        "xaxis": {**axis, **x},
        "yaxis": {**axis, **y},
    }
    return go.Figure(traces, look | options)


def wall_clock(instants: Ints, zone: str) -> pd.DatetimeIndex:
    """The local time of instants in a zone."""
    utc = pd.DatetimeIndex(np.asarray(instants, np.int64).view("datetime64[us]")).tz_localize("UTC")
    return utc.tz_convert(ZoneInfo(zone)).tz_localize(None)


def date_names(wall: pd.DatetimeIndex) -> list[str]:
    """Dates such as ``Mon, Jan 23``."""
    return [f"{day:%a, %b} {day.day}" for day in wall]


def whole_percent(part: float, whole: float) -> str:
    """A share in whole percents, 100% and 0% only where they are exact; "closed" of nothing."""
    if not whole:
        return "closed"
    percent = 100 * part / whole
    if part and percent < 1:
        return "< 1%"
    if part != whole and percent > 99:
        return "> 99%"
    return f"{percent:.0f}%"
