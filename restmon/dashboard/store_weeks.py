"""The last seven dates of a store beside the seven before, day by day."""

import streamlit as st

from restmon.core.formatting import duration, share
from restmon.dashboard.html_table import Cell, Column, show_table
from restmon.dashboard.store_summary import describe_change
from restmon.reporting.week_by_week import StoreWeeks, Week

HEADS = [
    Column("Day"),
    Column("Uptime", numeric=True),
    Column("Downtime", numeric=True),
    Column("Outages", numeric=True),
]


def show_weeks(weeks: StoreWeeks) -> None:
    """The change in words, and the table."""
    st.header("This week and the week before")
    if not weeks.observed:
        st.caption("This store was never polled while open, so there is nothing to compare.")
        return
    if weeks.before.unseen:
        st.caption("The polls of this store do not go back two weeks; nothing is compared yet.")
    else:
        st.markdown(f"**{describe_change(weeks.this, weeks.before)}**")
    st.caption(
        "The last 7 dates up to now. Small: the same weekday of the week before, and for today the "
        "same time of day."
    )
    rows = [_write_day(weeks, n) for n in reversed(range(len(weeks.this.dates)))]
    rows.append(_write_total(weeks.this, weeks.before))
    show_table("The last 7 days, and the week before", HEADS, rows, compact=True)


def _write_day(weeks: StoreWeeks, n: int) -> list[Cell | str]:
    this, before = weeks.this, weeks.before
    name = f"{this.dates[n]:%a, %b} {this.dates[n].day}"
    today = n == len(this.dates) - 1
    then = f"{before.dates[n]:%b} {before.dates[n].day}"
    return [
        Cell(name, below="today so far" if today else ""),
        *(
            Cell(write(this, n), "", "", f"{then}: {write(before, n)}")
            for write in (_uptime, _downtime, _outages)
        ),
    ]


def _uptime(week: Week, n: int) -> str:
    up, down = int(week.up[n]), int(week.down[n])
    if n < week.unseen:
        return "no data"
    return share(up, up + down) if week.open[n] else "closed"


def _downtime(week: Week, n: int) -> str:
    return duration(int(week.down[n])) if week.open[n] and n >= week.unseen else "–"


def _outages(week: Week, n: int) -> str:
    return str(week.outages[n]) if week.open[n] and n >= week.unseen else "–"


def _write_total(this: Week, before: Week) -> list[Cell | str]:
    def write(week: Week) -> tuple[str, str, str]:
        if week.unseen == len(week.dates):
            return "no data", "–", "–"
        up, down = int(week.up.sum()), int(week.down.sum())
        return share(up, up + down), duration(down), str(week.all_outages)

    pairs = zip(write(this), write(before), strict=True)
    return ["All 7 days", *(Cell(now, below=f"before: {then}") for now, then in pairs)]
