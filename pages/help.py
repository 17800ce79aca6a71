"""What the numbers mean, in an owner's words."""

import streamlit as st

from restmon.charts.example import draw_example
from restmon.core import worked_example
from restmon.core.instants import MINUTE
from restmon.core.timeline import NEAREST, PREVIOUS
from restmon.dashboard import identity, jobs_table, widgets
from restmon.dashboard.clock import write_time
from restmon.dashboard.page_links import link_to
from restmon.reporting.style import read_style
from restmon.settings import get_settings

identity.require_role()
st.title("What the numbers mean")
st.markdown(
    f"""
restmon asks one question of every store: **of the time it should have been open, how much was it
online?** About once an hour each store is polled: *active* (it takes orders online) or *inactive*.

- **Uptime** is the time inside business hours in which the store was online, **downtime** the time
  in which it was not. Closed hours never count, in neither.
- **Between two polls** nobody looked. The time is given to the poll that is nearer (the usual
  method), so the switch lies halfway between them. The other method, *previous*, holds each poll
  until the next one.
- **The last hour**, **the last day** (24 hours) and **the last week** (168 hours) end at the
  instant the numbers are *as of*: the newest poll, unless you choose another. A report has the
  hour in minutes, the day and the week in hours.
- **Coverage** is how much of the open time was close to a poll: at most
  {get_settings().covered_minutes} minutes away. Time farther from any poll is drawn pale
  and hatched, as *no data*. A number of which less than 80% was covered gets no green tick.
- **Stopped reporting** is a store, or a whole feed, without a poll for more than three times the
  usual gap, and at least 3 hours of open time. Its numbers are its last known state.
- **An incident** is a time in which at least 5 stores and 5% of the open ones are down at once, and
  at least twice the usual share. The cause was likely shared.
- **Getting worse** is a store whose last 4 weeks are lower than the 4 weeks before by more than
  twice the usual spread of its weeks: how far its weekly uptime usually lies from its average.
  Weeks of which less than 80% was covered are left out.
- **Lost sales** are an estimate: downtime times the usual sales of those hours. Without known sales
  there is no estimate.
- **An outage** is a stretch of downtime without a break. It goes on across closed hours when the
  store is still down when it opens again; its length counts open time only.
- **Other hours on a date**, such as a holiday, replace the weekly hours of that date. Before the
  day a store opens, and from the day it closes for good, it counts as closed.
- **A store that was never polled while open** has no uptime and no downtime: nothing was seen, so
  nothing is claimed.
"""
)
st.header("An example")
opens, closes = (write_time(t) for t in (worked_example.OPENS, worked_example.CLOSES))
first, second = (write_time(time) for time, _ in worked_example.POLLS)
st.markdown(
    f"A store is open on Monday from {opens} to {closes}. It was polled at {first} (active) and at "
    f"{second} (inactive)."
)
found = [worked_example.work_example(method) for method in (NEAREST, PREVIOUS)]
rows = [
    (jobs_table.METHOD_NAMES[f.method], f.spans.start, f.spans.end, f.spans.status) for f in found
]
style = read_style()
widgets.show_chart(
    draw_example(
        rows, worked_example.OPENS, worked_example.CLOSES, worked_example.POLLS, read_style()
    ),
    "The worked example: by the nearest poll 104.5 minutes up and 75.5 down, by the previous "
    "poll 135 up and 45 down",
    key="example",
)
half = write_time(sum(time for time, _ in worked_example.POLLS) // 2 // MINUTE * MINUTE)
st.markdown(
    f"By the **nearest poll** the store was up until 30 seconds after {half}, halfway between the "
    "two: "
    f"{found[0].up_minutes:g} minutes up, {found[0].down_minutes:g} down. By the **previous "
    f"poll** it was up until {second}, which makes {found[1].up_minutes:g} minutes up and "
    f"{found[1].down_minutes:g} down."
)
st.header("What is assumed when something is missing")
st.markdown(
    """
| missing | assumed |
| --- | --- |
| business hours of a store | open 24 hours, 7 days |
| business hours of a store, as they were rejected | those it had; if it had none, never open |
| business hours of a weekday, others being there | closed on that day |
| time zone of a store | America/Chicago |
| an end of 23:59 or later | midnight |
"""
)
st.header("When you get a message")
st.markdown(
    """
The page Alerts says who gets a message when. These rules hold for all messages:

- Nothing is said of a store while it is closed. What happens then waits until it opens.
- A store that is down is told once, after the open minutes that the rule says, and again when it
  is back up. A reminder comes after each chosen step of open time, until somebody presses
  **Acknowledge**: on the page Alerts, or where the link in the message leads.
- The stores of an incident are one message. So are more than 5 stores that go down at once.
- The third message about one store within 24 hours says that it is flapping. You hear of it again
  once it was up for 2 open hours.
- In quiet hours messages wait. What is over by then is not sent.
- A target at risk is told once a quarter of the month's budget is used, and once a month. All that
  is new is one message, and the next one comes a day later at the earliest.
- A message that **may have arrived** is not sent twice by itself. If its alert goes on, a reminder
  follows. **Send again** sends the message.
- While no polls come in at all, nothing is said of stores, because nobody knows how they are.
"""
)
st.header("The files that you can upload")
st.markdown(
    """
Drop them as they are: text separated by commas, semicolons, tabs or bars, plain, in a ZIP or
gzipped, or an Excel workbook (.xlsx). The first line, or one of the first lines, names the
columns, in any order; capitals, spaces and dashes do not matter, and other columns are ignored.
Where restmon does not know the names, the preview asks which column is which.

| file | columns; those in parentheses may be missing |
| --- | --- |
| polls | store_id, timestamp, status (reason) |
| business hours | store_id, day, open, close; or store_id and a column for each weekday |
| time zones | store_id, timezone |
| store directory | store_id and at least one more \
(name, address, groups, sales_per_hour, opened_on, closed_on) |
| other hours, such as holidays | store_id or group, date (or start_date and end_date), \
open, close (note) |
| hourly sales | store_id, day, hour, sales |

| value | how it may be written |
| --- | --- |
| status | active, online, open, up, true, 1; or inactive, offline, paused, closed, down, false, 0 |
| timestamp | 2026-11-27 14:05, with seconds and \
an offset such as -0600 where there are any, else in UTC; Unix time; \
11/27/2026 once you say which comes first |
| day | 0 (Monday) to 6 (Sunday), Monday or Mon; 1 to 7 once you say which day 1 is |
| time of day | 9:00, 09:00:00, 9 AM, noon, midnight; 24:00 as an end |
| closed, or open all day | closed, off, x, - or both times empty; 24h or open 24 hours |
| weekday column | 11:30-14:00, 17:00-22:00; or one of the words above |
| time zone | America/New_York, or Eastern Standard Time as Windows writes it; \
Eastern alone is rejected |

A store id is text: 001 and 1 are two stores. A spreadsheet may round long ids or cut zeros; the
Data check page finds such pairs. A line that cannot be read is left out and named, with the reason;
you can download these lines, fix them and upload them again. Where a line of hours cannot be read,
the store keeps the hours that it had.
"""
)
st.header("What to do next")
link_to("upload", "Upload your files", icon=":material/upload_file:")
link_to("overview", "See how your stores do", icon=":material/monitoring:")
link_to("reports", "Make a report", icon=":material/description:")
