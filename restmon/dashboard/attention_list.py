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
from restmon.reporting.fleet_view import FleetView
from restmon.storage.models import now

MOST_SHOWN = 8
"""So many of the stores that are down are listed, and so many of those that are silent."""


def show_sentence(view: FleetView, *, stale: bool) -> None:
    """How many of the stores are down, in a sentence that keeps itself current."""
    found, sentence = view.found, describe_fleet(view.counts, stale=stale)

    def show() -> None:
        st.markdown(
            f"## {sentence} Last checked {ago(found.as_of, now())}.",
            help=f"The newest poll is from {clock.moment(found.as_of)}.",
        )

    live.rerun_on_change(found.revision, show)


def show_attention(
    found: Fleet, attention: Attention, mask: NDArray[np.bool_], zone: str, *, stale: bool
) -> None:
    """What is down and what has stopped reporting, each a link to the store; times in a zone."""
    mine = mask[attention.store]
    for code, title, words in (
        (DOWN, "Down at the last poll", "were down") if stale else (DOWN, "Down now", "are down"),
        (NOT_REPORTING, "Stopped reporting", "have stopped reporting"),
    ):
        places = np.flatnonzero(mine & (found.status_now[attention.store] == code)).tolist()
        if not places:
            continue
        st.subheader(title, anchor=False)
        shown = places[:MOST_SHOWN]
        widgets.link_to_each_store(
            (
                (
                    found.ids[attention.store[k]],
                    _describe(found, attention, k, zone, stale=stale),
                    _list_utc(found, attention, k),
                )
                for k in shown
            ),
            found.stores.names,
            symbol=widgets.STATUS_SYMBOLS[code],
        )
        if len(places) > len(shown):
            widgets.link_to_stores(
                f"See all {len(places):,} stores that {words}",
                filters.current_filters(status=STATUS_NAMES[code]),
            )


def _list_utc(found: Fleet, attention: Attention, k: int) -> str:
    """The times of `_describe` in UTC."""
    store = int(attention.store[k])
    last_poll = f"last poll {clock.utc(int(found.last_poll[store]))}"
    if found.status_now[store] == NOT_REPORTING:
        return last_poll
    return f"since {clock.utc(int(attention.since[k]))}; {last_poll}"


def _describe(found: Fleet, attention: Attention, k: int, zone: str, *, stale: bool) -> str:
    """Since when, why, at what cost, and when the last poll was."""
    store, since = int(attention.store[k]), int(attention.since[k])
    last_poll = int(found.last_poll[store])
    if found.status_now[store] == NOT_REPORTING:
        return f"no poll for {elapsed(last_poll, now())}, since {clock.moment(last_poll, zone)}"
    verb = "was down" if stale else "down"
    parts = [f"{verb} for {duration(int(attention.down_for[k]))}"]
    parts[0] += f" (since {clock.moment(since, zone)})"
    cause = attention.cause[k]
    parts.append(escape_markdown(" ".join(cause.split())) if cause else "cause unknown")
    if np.isfinite(attention.lost[k]):
        parts.append(f"an estimated {clock.money(float(attention.lost[k]))} lost so far")
    parts.append(f"last poll {ago(last_poll, now())}")
    return " · ".join(parts).replace("$", "\\$")
