"""The first things an owner reads: how many stores are down, which, since when, and why."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.core.fleet_summary import describe_fleet
from restmon.core.formatting import ago, duration, elapsed
from restmon.core.status_now import DOWN, NOT_REPORTING, STATUS_NAMES
from restmon.dashboard import clock, filters, live, widgets
from restmon.dashboard.messages import escape_markdown
from restmon.reporting.attention import Attention
from restmon.reporting.fleet import Fleet
from restmon.storage.models import now

MOST_SHOWN = 8
"""So many of the stores that are down are listed, and so many of those that are silent."""


def show_sentence(found: Fleet, mask: NDArray[np.bool_], *, stale: bool) -> None:
    """How many of the stores are down, in a sentence that keeps itself current."""
    counts = np.bincount(found.status_now[mask], minlength=len(STATUS_NAMES)).tolist()
    sentence = describe_fleet(counts, stale=stale)

    def show() -> None:
        st.markdown(
            f"#### {sentence} Last checked {ago(found.as_of, now())}.",
            help=f"The newest poll is of {clock.moment(found.as_of)}.",
        )

    live.rerun_on_change(found.revision, show)


def show_attention(
    found: Fleet, attention: Attention, mask: NDArray[np.bool_], *, stale: bool
) -> None:
    """What is down and what has stopped reporting, each a link to the store."""
    mine = mask[attention.store]
    for code, title in (
        (DOWN, "Down at the last poll" if stale else "Down now"),
        (NOT_REPORTING, "Stopped reporting"),
    ):
        places = np.flatnonzero(mine & (found.status_now[attention.store] == code)).tolist()
        if not places:
            continue
        st.subheader(title, anchor=False)
        shown = places[:MOST_SHOWN]
        widgets.link_to_each_store(
            (
                (found.ids[attention.store[k]], _describe(found, attention, k, stale=stale))
                for k in shown
            ),
            found.stores.names,
            symbol=widgets.STATUS_SYMBOLS[code],
        )
        if len(places) > len(shown):
            widgets.link_to_stores(
                f"See all {len(places):,} stores: {STATUS_NAMES[code]}",
                filters.current_filters(status=STATUS_NAMES[code]),
            )


def _describe(found: Fleet, attention: Attention, k: int, *, stale: bool) -> str:
    """Since when, why, at what cost, and when the last poll was."""
    store, since = int(attention.store[k]), int(attention.since[k])
    last_poll = int(found.last_poll[store])
    if found.status_now[store] == NOT_REPORTING:
        zone = str(found.zones[store])
        return f"no poll for {elapsed(last_poll, now())}, since {clock.moment(last_poll, zone)}"
    verb = "was down" if stale else "down"
    parts = [f"{verb} for {duration(int(attention.down_for[k]))}"]
    parts[0] += f" (since {clock.moment(since, str(found.zones[store]))})"
    cause = attention.cause[k]
    parts.append(escape_markdown(" ".join(cause.split())) if cause else "cause unknown")
    if np.isfinite(attention.lost[k]):
        parts.append(f"an estimated {clock.money(float(attention.lost[k]))} lost so far")
    parts.append(f"last poll {ago(last_poll, now())}")
    return " · ".join(parts).replace("$", "\\$")
