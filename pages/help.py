"""What the numbers mean, in an owner's words."""

import streamlit as st

from pages import parts
from restmon import charts, example
from restmon.uptime import NEAREST, PREVIOUS

parts.framed()
st.title("What the numbers mean")
st.markdown(
    """
restmon asks one question of every store: **of the time it should have been open, how much was it
online?** About once an hour each store is polled: *active* (it takes orders online) or *inactive*.

- **Uptime** is the time inside business hours in which the store was online, **downtime** the time
  in which it was not. Closed hours never count, in neither.
- **Between two polls** nobody looked. The time is given to the poll that is nearer (the usual
  method), so the switch lies halfway between them. The other method, *previous*, holds each poll
  until the next one.
- **The last hour** is told in minutes, **the last day** (24 hours) and **the last week** (168
  hours) in hours. They end at the instant the numbers are *as of*: the newest poll, unless you
  choose another.
- **An outage** is a stretch of downtime without a break. It goes on across closed hours when the
  store is still down when it opens again; its length counts open time only.
- **A store that was never polled while open** has no uptime and no downtime: nothing was seen, so
  nothing is claimed.
"""
)
st.header("An example")
st.markdown(
    "A store is open on Monday from 09:00 to 12:00. It was polled at 10:14 (active) and at 11:15 "
    "(inactive)."
)
found = [example.worked(method) for method in (NEAREST, PREVIOUS)]
rows = [(parts.METHOD_NAMES[f.method], f.spans.start, f.spans.end, f.spans.status) for f in found]
parts.chart(
    charts.example(rows, example.OPENS, example.CLOSES, example.POLLS),
    "The worked example: by the nearest poll 104.5 minutes up and 75.5 down, by the previous "
    "poll 135 up and 45 down",
    key="example",
)
st.markdown(
    f"By the **nearest poll** the store was up until 10:44 and 30 s, halfway between the two: "
    f"{found[0].up_minutes:g} minutes up, {found[0].down_minutes:g} down. By the **previous "
    f"poll** it was up until 11:15, which makes {found[1].up_minutes:g} minutes up and "
    f"{found[1].down_minutes:g} down."
)
st.header("What is assumed when something is missing")
st.markdown(
    """
| missing | assumed |
| --- | --- |
| business hours of a store | open 24 hours, 7 days |
| business hours of a weekday, others being there | closed on that day |
| time zone of a store | America/Chicago |
| an end of 23:59 or later | midnight |
"""
)
st.header("What to do next")
st.page_link("pages/upload.py", label="Upload your files", icon=":material/upload_file:")
st.page_link("pages/overview.py", label="See how your stores do", icon=":material/monitoring:")
st.page_link("pages/reports.py", label="Make a report", icon=":material/description:")
