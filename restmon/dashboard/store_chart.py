"""The timeline chart of one store, its tooltips, and its download."""

import numpy as np
import pandas as pd
import streamlit as st

from restmon.charts.timeline import (
    DayBars,
    DrawnStretches,
    PollMarks,
    StoreMarks,
    draw_daily_uptime,
    draw_timeline,
)
from restmon.core import explanations
from restmon.core.formatting import duration, edge
from restmon.core.instants import HOUR, as_datetime
from restmon.dashboard import (
    widgets,
)
from restmon.dashboard.clock import moment
from restmon.reporting.store_timeline import StoreTimeline
from restmon.reporting.style import read_style
from restmon.settings import get_settings

HOUR_HALVES = 2 * HOUR


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
        utc = f"{moment(start)} – {moment(end)}"
        texts.append(
            f"<b>{word}</b> for {length}<br>from {edges[0]}<br>to {edges[1]}<br>{why}<br>{utc}"
        )
    return texts


def show_timeline(view: StoreTimeline) -> None:
    """The timeline and the daily bars."""
    spans = explanations.join_spans(view.spans)
    every = DrawnStretches(spans.start, spans.end, describe_spans(view, spans))
    opened = [
        f"<b>Open</b><br>{moment(int(a), view.zone)}<br>– {moment(int(b), view.zone)}"
        for a, b in zip(view.open_start, view.open_end, strict=True)
    ]
    polls = [
        f"<b>{'Active' if active else 'Inactive'} poll</b>{'' if counts else ', closed: no count'}"
        f"<br>{moment(int(t), view.zone, seconds=True)}<br>{moment(int(t), seconds=True)}"
        for t, active, counts in zip(
            view.polls.time, view.polls.status, view.polls.counts, strict=True
        )
    ]
    widgets.show_chart(
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
            ),
            read_style(),
        ),
        "Timeline of the store, a row a day: business hours, up and down spans, and polls; the "
        "tables below tell the same",
        key="timeline",
    )
    days = view.days
    found = DayBars(
        days.date.tolist(),
        *(time / HOUR_HALVES for time in (days.up, days.down, days.seen_up, days.seen_down)),
    )
    widgets.show_chart(
        draw_daily_uptime(found, read_style()),
        "Bars of the hours up and down of each day; hatched gray where no poll was near",
        key="daily",
    )


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
