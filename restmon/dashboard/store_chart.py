"""The timeline chart of one store, its tooltips, and its download."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from restmon.charts.daily import DayBars, draw_daily_uptime
from restmon.charts.timeline import (
    OTHER_HOURS,
    DrawnStretches,
    PollMarks,
    StoreMarks,
    draw_timeline,
)
from restmon.core import explanations
from restmon.core.formatting import duration, edge
from restmon.core.instants import HOUR, as_datetime
from restmon.dashboard import widgets
from restmon.dashboard.clock import moment, utc
from restmon.dashboard.html_table import Cell, Column, show_table
from restmon.dashboard.messages import escape_markdown
from restmon.reporting.other_dates import OtherDate
from restmon.reporting.store_timeline import StoreTimeline
from restmon.reporting.style import read_style
from restmon.settings import get_settings

HOUR_HALVES = 2 * HOUR
MOST_SPANS = 300


def describe_spans(view: StoreTimeline, spans: explanations.ExplainedSpans) -> list[str]:
    """The tooltip of each span: its beginning and end, why, and the poll that decides it."""
    texts = []
    for n in range(len(spans)):
        start, end, poll = int(spans.start[n]), int(spans.end[n]), int(spans.poll[n])
        s, e = spans.starts, spans.ends
        edges = [
            edge(str(x.kind[n]), t, (int(x.before[n]), int(x.after[n])), view.zone, read_style())
            for x, t in ((s, start), (e, end))
        ]
        word = "Up" if spans.status[n] else "Down"
        count = int(spans.polls[n])
        if count == 1:
            why = f"Decided by the poll of {moment(poll, view.zone)}"
            if spans.carried[n]:
                why += ", as there is none in these open hours"
        else:
            last = int(spans.last_poll[n])
            why = f"{count} polls say so, {moment(poll, view.zone)} to {moment(last, view.zone)}"
        length = duration(2 * (end - start))
        texts.append(
            f"<b>{word}</b> for {length}<br>from {edges[0]}<br>to {edges[1]}<br>{why}<br>"
            + utc(start, end)
        )
    return texts


def show_timeline(view: StoreTimeline, dates: Sequence[OtherDate]) -> None:
    """The timeline, why the span that was chosen in it is as it is, and the daily bars."""
    spans = explanations.join_spans(view.spans)
    texts = describe_spans(view, spans)
    every = DrawnStretches(spans.start, spans.end, texts)
    opened = [
        f"<b>Open</b><br>{moment(int(a), view.zone)}<br>– {moment(int(b), view.zone)}<br>"
        + utc(int(a), int(b))
        for a, b in zip(view.open_start, view.open_end, strict=True)
    ]
    polls = [
        f"<b>{'Active' if active else 'Inactive'} poll</b>{'' if counts else ', closed: no count'}"
        f"<br>{moment(int(t), view.zone, seconds=True)}<br>{moment(int(t), seconds=True)}"
        for t, active, counts in zip(
            view.polls.time, view.polls.status, view.polls.counts, strict=True
        )
    ]
    selectable = not widgets.is_phone()
    picked = widgets.show_chart(
        draw_timeline(
            view.zone,
            view.lo,
            view.hi,
            StoreMarks(
                DrawnStretches(view.open_start, view.open_end, opened),
                every.chosen(spans.status == 1),
                every.chosen(spans.status == 0),
                PollMarks(view.polls.time, view.polls.status == 1, view.polls.counts, polls),
                DrawnStretches(view.seen_start, view.seen_end, [""] * len(view.seen_start)),
                f"<b>No data:</b> no poll within {get_settings().covered_minutes} minutes",
                {found.date: found.text for found in dates},
            ),
            read_style(),
        ),
        "Timeline of the store, a row a day: business hours, up and down spans, and polls; the "
        "tables below tell the same",
        key="timeline",
        **({"on_select": "rerun", "selection_mode": "points"} if selectable else {}),
    )
    _show_other_dates(view, dates)
    if selectable and texts:
        _show_chosen(picked.selection.points, {*texts, *polls, *opened})
    _show_spans(texts)
    days = view.days
    if not view.observed:
        return
    found = DayBars(
        days.date.tolist(),
        *(time / HOUR_HALVES for time in (days.up, days.down, days.seen_up, days.seen_down)),
    )
    widgets.show_chart(
        draw_daily_uptime(found, read_style()),
        "Bars of the hours up and down of each day; hatched gray where no poll was near",
        key="daily",
    )


def _show_chosen(points: Sequence[Any], known: set[str]) -> None:
    """Why the chosen span is as it is, below the chart."""
    if not points:
        with st.container(key="timeline_hint"):
            st.caption("Select a span or a poll to see here why it counts so.")
        return
    told = points[0].get("customdata")
    text = told[0] if isinstance(told, list) else told
    shown = next((one for one in known if str(text).startswith(one)), "")
    if shown:
        st.info(_in_markdown(shown), icon=":material/info:")


def _in_markdown(text: str) -> str:
    """A text of the chart in Markdown."""
    lines = escape_markdown(text).replace("\\<br\\>", "  \n")
    return lines.replace("\\<b\\>", "**").replace("\\</b\\>", "**")


def _show_other_dates(view: StoreTimeline, dates: Sequence[OtherDate]) -> None:
    """The dates with other hours in the range, in words."""
    zone = view.zone
    first, last = as_datetime(view.lo, zone).date(), as_datetime(view.hi - 1, zone).date()
    shown = [f"{d.date:%b} {d.date.day}: {d.text}" for d in dates if first <= d.date <= last]
    if shown:
        st.caption(escape_markdown(f"{OTHER_HOURS} Other hours: {'; '.join(shown)}"))


def _show_spans(texts: list[str]) -> None:
    """Every span in words, the newest first."""
    if not texts:
        return
    with st.expander("Every span in words", icon=":material/table_rows:"):
        rows = []
        for text in texts[::-1]:
            status, begin, end, why, over = re.sub("</?b>", "", text).split("<br>")
            rows.append([Cell(status), *(Cell(one, over) for one in (begin, end, why))])
        heads = [Column(name) for name in ("Status", "Begins", "Ends", "Why")]
        show_table("Every span of the timeline, the newest first", heads, rows[:MOST_SPANS])
        if len(rows) > MOST_SPANS:
            st.caption(f"The newest {MOST_SPANS} of {len(rows):,}. The CSV has all.")


def offer_spans(view: StoreTimeline) -> None:
    """Offer the shown spans as CSV."""
    spans = explanations.join_spans(view.spans)
    table = pd.DataFrame(
        {
            "store_id": view.store_id,
            "start_utc": pd.DatetimeIndex(spans.start.view("datetime64[us]")),
            "end_utc": pd.DatetimeIndex(spans.end.view("datetime64[us]")),
            "status": np.where(spans.status == 1, "up", "down"),
            "starts_with": spans.starts.kind,
            "ends_with": spans.ends.kind,
        }
    )
    st.download_button(
        "Download what is shown (CSV)",
        table.to_csv(index=False).encode(),
        f"store-{view.store_id}-{as_datetime(view.lo):%Y%m%d}-{as_datetime(view.hi):%Y%m%d}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download",
    )
