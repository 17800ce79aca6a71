"""The last 90 days of each group as strips."""

from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.charts import day_strip
from restmon.core import formatting
from restmon.core.day_sums import Days
from restmon.core.instants import date_of
from restmon.dashboard import clock, filters
from restmon.dashboard.identity import current_actor
from restmon.dashboard.page_links import link_to
from restmon.reporting.fleet import Fleet
from restmon.reporting.history import GroupDays, read_chosen_days, read_group_days
from restmon.reporting.style import read_style

DAYS = 90
FEWEST = 7
"""A shorter history takes the room of so many days; any other the whole width."""
MOST_GROUPS = 8
NOT_MADE_YET = "The history by day is being made. It takes a worker a few minutes; look again then."


def show_strips(found: Fleet, mask: NDArray[np.bool_], zone: str) -> None:
    """A strip of 90 days of each group, or of the stores that the filters leave."""
    chosen = filters.current_filters()
    days = read_group_days(current_actor(), DAYS)
    st.header(_title(days))
    if days is None:
        st.caption(NOT_MADE_YET)
        return
    say_through(days.as_of, zone, behind=days.behind)
    name = chosen.get("group")
    if chosen.keys() & {"search", "zone"}:
        ids = [found.ids[n] for n in np.flatnonzero(mask).tolist()]
        some = read_chosen_days(current_actor(), DAYS, ids)
        strips = [] if some is None else [("The stores that match the filters", "", some[1])]
    elif name and name in days.of_groups:
        strips = [(name, group_address(name), days.of_groups[name])]
    else:
        strips = _strips_of(days)
    through = write_through(days.as_of, zone)
    slots = max(len(days.of_all), FEWEST)
    st.html(
        f"<style>{day_strip.STYLE}</style>"
        + "".join(
            day_strip.write_strip(of, label, href, read_style(), through, slots)
            for label, href, of in strips
        )
        + day_strip.write_key()
    )
    link_to(
        "trend",
        "See weeks and months, and which stores are getting worse",
        icon=":material/trending_up:",
        query_params={"group": name} if name else {},
    )
    if len(days.of_groups) > 1:
        link_to("groups", "See the groups side by side", icon=":material/workspaces:")


def _title(days: GroupDays | None) -> str:
    """The heading, which says since when the days go where they are fewer than 90."""
    if days is None or not 0 < len(days.of_all) < DAYS:
        return f"Last {DAYS} days"
    first = formatting.day(date_of(int(days.of_all.dates[0])), read_style())
    return f"Day by day since {first}"


def _strips_of(days: GroupDays) -> list[tuple[str, str, Days]]:
    """(label, address, days) of the first groups, or of all stores where there are none."""
    if not days.of_groups:
        return [("All stores", "/stores", days.of_all)]
    return [
        (name, group_address(name), of) for name, of in list(days.of_groups.items())[:MOST_GROUPS]
    ]


def group_address(name: str) -> str:
    """Return the address of the stores of a group."""
    return f"/stores?{urlencode({'group': name})}"


def write_through(as_of: int, zone: str) -> str:
    """Return until when the days go, as text."""
    return clock.moment(as_of, zone)


def say_through(as_of: int, zone: str, *, behind: bool) -> None:
    """Say until when the days go, where newer polls are still to be added."""
    if behind:
        st.caption(
            f"These days go through {clock.moment(as_of, zone)}. Newer polls are being added.",
            help=clock.utc(as_of),
        )
