"""How many stores had how much uptime, as bars. A third chart would make the page slow to open."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.charts.style import DOWN, MUTED, UP
from restmon.core.uptime_bins import BINS
from restmon.dashboard.html_table import Cell, Column, show_table

COLORS = [DOWN] * 4 + [MUTED] * 2 + [UP] * 3
TITLE = "Stores by their uptime"
HEADS = [Column("Uptime, last week"), Column("Stores"), Column("Number", numeric=True)]


def show_uptime_bars(counts: NDArray[np.int64]) -> None:
    """Show a bar for each of the bins (`uptime_bins.count_by_uptime`)."""
    most = max(int(counts.max()), 1)
    rows: list[list[Cell | str]] = [
        [name, Cell("", picture=_draw_bar(100 * count / most, color)), f"{count:,}"]
        for name, count, color in zip(BINS, counts.tolist(), COLORS, strict=True)
    ]
    st.markdown(f"**{TITLE}**")
    show_table(f"{TITLE} in the last week", HEADS, rows, compact=True)


def _draw_bar(width: float, color: str) -> str:
    bar = f"width: {width:.1f}%; min-width: {2 if width else 0}px; background: {color}"
    return (
        '<span style="display: block; min-width: 5rem">'
        f'<span style="display: block; height: 0.9rem; border-radius: 2px; {bar}"></span></span>'
    )
