"""One store: when it was up and down, why that is so, and its outages."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import streamlit as st

from pages import parts
from restmon import charts, database, reasons, store_view
from restmon.hours import DAY, HOUR, MINUTE, SECOND
from restmon.roles import Role
from restmon.store_view import StoreView
from restmon.uptime import METHODS, NEAREST
from restmon.wording import at, duration, edge, moment, share

LENGTHS = {"1 day": DAY, "7 days": 7 * DAY, "30 days": 30 * DAY}
DATES = "Dates"
MOST_DAYS = 92
LONG_TABLE, TABLE_HEIGHT = 10, 480
HOUR_HALVES = 2 * HOUR


def chosen_range(newest: int, zone: str) -> tuple[int, int]:
    """The range to show, from the controls: [lo, hi)."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.segmented_control(
            "Range",
            [*LENGTHS, DATES],
            default="7 days",
            required=True,
            key="range",
            bind="query-params",
        )
        st.segmented_control(
            "Between polls",
            METHODS,
            default=NEAREST,
            required=True,
            key="method",
            bind="query-params",
            format_func=parts.METHOD_NAMES.__getitem__,
        )
        if name == DATES:
            last = at(newest, zone).date()
            picked = st.date_input(
                "Dates (local)",
                (last - timedelta(days=6), last),
                max_value=last,
                key="dates",
                bind="query-params",
                width=260,
            )
            if isinstance(picked, date) or len(picked) != 2:
                st.info("Choose the first and the last day.")
                st.stop()
            first, last = picked
            if (last - first).days >= MOST_DAYS:
                st.info(f"Choose at most {MOST_DAYS} days.")
                st.stop()
            return start_of(first, zone), start_of(last + timedelta(days=1), zone)
    return newest - LENGTHS[name], newest


def start_of(day: date, zone: str) -> int:
    """The instant at which a local date begins."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return round(midnight.timestamp()) * SECOND


def span_texts(view: StoreView, spans: reasons.ExplainedSpans) -> list[str]:
    """What is shown over each span: from when to when, why, and decided by which poll."""
    texts = []
    for n in range(len(spans)):
        start, end, poll = int(spans.start[n]), int(spans.end[n]), int(spans.poll[n])
        s, e = spans.starts, spans.ends
        edges = [
            edge(str(x.kind[n]), t, int(x.before[n]), int(x.after[n]), view.zone)
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


def drawn(view: StoreView) -> None:
    """The timeline and the daily bars."""
    spans = reasons.joined(view.spans)
    every = charts.Stretches(spans.start, spans.end, span_texts(view, spans))
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
    parts.chart(
        charts.timeline(
            view.zone,
            view.lo,
            view.hi,
            charts.Stretches(view.open_start, view.open_end, opened),
            every.chosen(spans.status == 1),
            every.chosen(spans.status == 0),
            charts.PollMarks(view.polls.time, view.polls.status == 1, view.polls.counts, polls),
        ),
        "Timeline of the store, a row a day: business hours, up and down spans, and polls; the "
        "tables below tell the same",
        key="timeline",
    )
    up, down = view.days.up / HOUR_HALVES, view.days.down / HOUR_HALVES
    parts.chart(
        charts.daily_uptime(view.days.date, up, down),
        "Bars of the hours up and down of each day",
        key="daily",
    )


def numbers(view: StoreView) -> None:
    """Totals of the range, in figures."""
    with st.grid(4, min_column_width=140):
        st.metric("Uptime", share(view.up, view.up + view.down), border=True, height="stretch")
        st.metric("Up", f"{view.up / HOUR_HALVES:,.2f} h", border=True, height="stretch")
        st.metric("Down", f"{view.down / HOUR_HALVES:,.2f} h", border=True, height="stretch")
        st.metric("Outages", f"{len(view.outages.start):,}", border=True, height="stretch")
    if view.last_poll is None:
        st.caption("This store was never polled.")
        return
    status = "✓ active" if view.last_poll_active else "✕ inactive"
    when = parts.literal(moment(view.last_poll, view.zone, seconds=True))
    st.caption(
        f"Last poll: **{status}**, {when}",
        help=moment(view.last_poll, seconds=True),
    )


def first_poll(view: StoreView) -> None:
    """Since when there are polls of the store, if that is later than what is shown."""
    if view.first_observation is None or view.open_before_first <= HOUR_HALVES:
        return
    when = parts.literal(moment(view.first_observation, view.zone))
    hours = view.open_before_first / HOUR_HALVES
    st.info(
        f"There is no poll of this store in its open hours before {when}. The {hours:,.2f} open "
        "hours until then are given the status of that poll.",
        icon=":material/visibility_off:",
    )


def outage_table(view: StoreView) -> None:
    """Every outage that overlaps the range."""
    st.header("Outages")
    found = view.outages
    if not len(found.start):
        if view.observed:
            st.success("No outage in this range.", icon=":material/check_circle:")
        return
    lines = ["| Start | End | Open minutes down |", "| --- | --- | ---: |"]
    for n in range(len(found.start) - 1, -1, -1):
        end = "▼ ongoing" if found.ongoing[n] else in_table(int(found.end[n]), view.zone)
        minutes = found.open_time[n] / 2 / MINUTE
        start = in_table(int(found.start[n]), view.zone)
        lines.append(f"| {start} | {end} | {minutes:,.1f} |")
    # Not st.dataframe: it fetches 1.5 MB of scripts, cuts columns off on a phone, and draws what
    # screen readers cannot read.
    st.caption(f"Newest first; times in **{parts.literal(view.zone)}**, small: in UTC.")
    long = len(found.start) > LONG_TABLE
    with st.container(height=TABLE_HEIGHT if long else "content", key="outages"):
        st.markdown("\n".join(lines))


def in_table(instant: int, zone: str) -> str:
    """An instant in a zone and, small, in UTC."""
    return f"{moment(instant, zone)} :small[:gray[{moment(instant)}]]"


def about(view: StoreView) -> None:
    """Zone and business hours, and what was assumed."""
    st.header("Business hours")
    zone = f"Time zone: **{view.zone}**"
    if view.zone_assumed:
        zone += " (assumed: none was imported for this store)"
    st.markdown(zone)
    if view.hours_assumed:
        st.markdown("Open **24×7** (assumed: no business hours were imported for this store).")
    else:
        rows = "".join(f"| {day} | {text} |\n" for day, text in store_view.weekly_hours(view.hours))
        st.markdown(f"| Day | Open (local time) |\n| --- | --- |\n{rows}")
    if parts.actor().may(Role.OWNER):
        st.page_link(
            "pages/settings.py",
            label="Change hours or zone",
            icon=":material/edit:",
            query_params={"store": view.store_id},
        )


def download(view: StoreView) -> None:
    """The spans that are shown, as CSV."""
    spans = reasons.joined(view.spans)
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
        f"store-{view.store_id}-{at(view.lo):%Y%m%d}-{at(view.hi):%Y%m%d}.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="download",
    )


parts.framed()
heading = st.empty()
heading.title("Store")
found = parts.fleet_or_stop()
parts.kept_current(found.revision)
chosen = parts.store_choice(found.ids)
if not chosen:
    st.info("Choose a store above, or open one from the list of all stores.")
    parts.stores_page("See all stores", {})
    st.stop()
heading.title(f"Store {parts.literal(chosen)}")
parts.titled(f"Store {chosen}")
zone_of_store = str(found.zones[found.ids.index(chosen)])
lo, hi = chosen_range(found.as_of, zone_of_store)
with parts.told(), database.reading():
    view = store_view.view(chosen, lo, hi, st.session_state.get("method") or NEAREST, found.as_of)
st.caption(
    f"{moment(view.lo, view.zone)} – {moment(view.hi, view.zone)}, times in **{view.zone}**",
    help=f"{moment(view.lo)} – {moment(view.hi)}",
)
if view.lo >= view.hi:
    st.info("This range is after the newest poll. Choose an earlier one.")
    st.stop()
numbers(view)
if not view.observed:
    st.warning(
        "This store was never polled while open, so no uptime and no downtime is claimed.",
        icon=":material/visibility_off:",
    )
first_poll(view)
drawn(view)
outage_table(view)
download(view)
about(view)
