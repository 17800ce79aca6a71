"""The table of outages: filters, rows, and the download."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.core.findings import count_of
from restmon.core.formatting import duration
from restmon.core.instants import as_datetime
from restmon.dashboard import clock, filters, outage_window
from restmon.dashboard.clock import moment
from restmon.dashboard.html_table import Cell, Column, show_table, store_address
from restmon.dashboard.store_outages import describe_notes, describe_why
from restmon.reporting.current_status import NEVER
from restmon.reporting.details_table import write_csv
from restmon.reporting.incident_list import name_incident
from restmon.reporting.outage_list import COLUMNS, FoundOutages, OutageArrays, make_rows

AT_ONCE = 50
ONGOING, ENDED = "Ongoing", "Ended"
HEADS = [
    Column("Store"),
    Column("Down for", numeric=True),
    Column("Began"),
    Column("Ended"),
    Column("Why"),
    Column("Lost (estimate)", numeric=True),
    Column("Incident"),
]
ORDERS: dict[str, Callable[[OutageArrays], NDArray[Any]]] = {
    "Newest": lambda found: -found.start,
    "Most costly": lambda found: -np.nan_to_num(found.lost, nan=-1.0),
    "Longest": lambda found: -found.open_time,
}
"""What the outages can be sorted by."""
NOTES = Column("Notes")
"""Where any outage that is shown has a note."""


@dataclass(frozen=True)
class Choice:
    """Which outages are shown: those that go on or not (None: both), that have lasted so many
    minutes of open time, and are part of an incident (its id; None: any)."""

    ongoing: bool | None
    min_minutes: int
    incident: str | None


def choose_outages() -> Choice:
    """Show the filters of outages in the current row, and return what is chosen."""
    names = [ONGOING, ENDED]
    state = st.selectbox(
        "State",
        names,
        index=None,
        placeholder="All",
        key="state",
        bind="query-params",
        width=filters.NARROW,
    )
    minutes = st.number_input(
        "At least (minutes)",
        min_value=0,
        step=15,
        value=0,
        key="min_minutes",
        bind="query-params",
        width=filters.NARROW,
    )
    incident = st.query_params.get("incident")
    if incident and st.button("Show outages outside the incident", key="any_incident"):
        st.query_params.pop("incident", None)
        st.rerun()
    return Choice(None if state is None else state == ONGOING, int(minutes), incident)


def pick(found: FoundOutages, ids: NDArray[np.object_], choice: Choice) -> OutageArrays:
    """Return the chosen outages of the stores with the ids."""
    chosen = found.filtered(choice.ongoing, choice.min_minutes)
    shown = set(ids.tolist())
    of_store = np.array([store in shown for store in found.stores.ids], bool)
    mask = of_store[chosen.store]
    if choice.incident:
        starts = np.unique(chosen.incident[chosen.incident != NEVER]).tolist()
        mine = [start for start in starts if name_incident(start) == choice.incident]
        mask &= np.isin(chosen.incident, mine)
    return chosen.where(mask)


def show_outages(found: FoundOutages, chosen: OutageArrays, zone: str) -> None:
    """The outages in the chosen order, with their sum and the download."""
    st.header("Outages")
    if not len(chosen):
        st.info("No outage matches.", icon=":material/filter_alt_off:")
        return
    stores, total = len(np.unique(chosen.store)), int(chosen.open_time.sum())
    parts = [
        f"**{count_of(len(chosen), 'outage')}** of {count_of(stores, 'store')}, "
        f"{duration(total)} down in all"
    ]
    st.markdown("; ".join(parts) + ".")
    names = list(ORDERS)
    order = st.selectbox("Sort by", names, key="order", bind="query-params", width=filters.WIDTH)
    most = st.session_state.get("most_outages", AT_ONCE)
    shown = np.lexsort((chosen.store, -chosen.start, ORDERS[order or names[0]](chosen)))[:most]
    with_notes = any(chosen.notes[shown].tolist())
    rows = [_write_row(found, chosen, k, zone, with_notes=with_notes) for k in shown.tolist()]
    heads = [*HEADS, *([NOTES] if with_notes else [])]
    show_table(f"Outages: {(order or names[0]).lower()} first", heads, rows)
    with st.container(horizontal=True):
        if len(chosen) > most and st.button(f"Show {AT_ONCE} more", key="more_outages"):
            st.session_state["most_outages"] = most + AT_ONCE
            st.rerun()
        st.download_button(
            "Download (CSV)",
            lambda: write_csv(COLUMNS, make_rows(found, chosen)).encode(),
            f"outages-{as_datetime(found.as_of):%Y%m%d-%H%M}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="download_outages",
        )


def _write_row(
    found: FoundOutages, chosen: OutageArrays, k: int, zone: str, *, with_notes: bool
) -> list[Cell | str]:
    store, start, end = (int(x[k]) for x in (chosen.store, chosen.start, chosen.end))
    label = found.stores.label(found.stores.ids[store])
    ended = Cell("ongoing") if chosen.ongoing[k] else Cell(moment(end, zone), moment(end))
    more = outage_window.current_window() | filters.current_filters()
    incident = int(chosen.incident[k])
    part_of: Cell | str = ""
    if incident != NEVER:
        name = name_incident(incident)
        part_of = Cell("yes", name, f"/outages?{urlencode({'incident': name, **more})}")
    return [
        Cell(label, "", store_address(label)),
        duration(int(chosen.open_time[k])),
        Cell(moment(start, zone), moment(start)),
        ended,
        describe_why(chosen.cause[k], int(chosen.first_down[k]), int(chosen.last_down[k]), zone),
        clock.money(float(chosen.lost[k])),
        part_of,
        *([describe_notes(chosen.notes[k] or ())] if with_notes else []),
    ]
