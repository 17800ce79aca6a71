"""The form for the business hours and the time zone of one store."""

from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st

from restmon.core.formatting import WEEKDAYS
from restmon.core.hours import DEFAULT_ZONE
from restmon.dashboard import clock, identity, jobs_table, messages, widgets
from restmon.dashboard.page_links import link_to
from restmon.errors import RestmonError
from restmon.ingest import hours_editing
from restmon.reporting.snapshot import Stores
from restmon.storage import database

DAYS = {str(n): f"{n} {name}" for n, name in enumerate(WEEKDAYS)}


DAY, START, END = hours_editing.COLUMNS


NO_ZONE = f"Not known ({DEFAULT_ZONE} is assumed)"


COLUMN_NAMES = {DAY: "Day", START: "Opens", END: "Closes"}

EDITED_COLUMNS: dict[str, Any] = {
    DAY: st.column_config.SelectboxColumn(
        "Day",
        options=list(DAYS),
        format_func=lambda n: DAYS.get(str(n), str(n)),
        required=True,
        width=115,
    ),
    START: st.column_config.TextColumn("Opens", help="9:00 or 9 AM", required=True),
    END: st.column_config.TextColumn(
        "Closes",
        help="17:00 or 5 PM. 24:00 or 23:59 means midnight. A time before the opening is on the "
        "next day.",
        required=True,
    ),
}


@st.cache_data(show_spinner=False)
def list_zones() -> list[str]:
    """Every IANA zone, those of the United States first."""
    american = ("America/", "US/", "Pacific/Honolulu")
    return sorted(available_timezones(), key=lambda z: (not z.startswith(american), z))


def show_hours_form(stores: Stores) -> str | None:
    """The hours and zone of one store. Returns its id once one is chosen."""
    chosen = widgets.choose_store(stores)
    if not chosen:
        st.info("Choose a store to see and change its business hours and time zone.")
        return None
    with messages.stop_on_error(), database.reading():
        kept = hours_editing.read_hours(chosen)
    zones = [NO_ZONE, *list_zones()]
    if kept.zone and kept.zone not in zones:
        zones.append(kept.zone)
    zone = st.selectbox(
        "Time zone", zones, zones.index(kept.zone or NO_ZONE), key=f"zone_of_{chosen}"
    )
    st.markdown("**Business hours**, local time; one row for each opening.")
    if kept.unreadable:
        st.warning(
            "The hours that were imported for this store could not be read, so it counts as never "
            "open. Add its hours and save; open 24×7 is 00:00 to 24:00 on each day.",
            icon=":material/warning:",
        )
    elif not len(kept.hours):
        st.caption("No hours are given, so the store counts as open 24×7. Add rows to change that.")
    rows, shown = _edit_hours(chosen, kept.hours)
    with st.container(horizontal=True, vertical_alignment="center"):
        saving = st.button("Save", type="primary", icon=":material/save:", key="save")
        link_to(
            "store",
            "See this store",
            icon=":material/storefront:",
            query_params={"store": chosen},
        )
    if saving:
        try:
            changed = hours_editing.save(
                chosen, rows, None if zone == NO_ZONE else zone, identity.current_actor()
            )
        except hours_editing.HoursRejected as error:
            st.error("These rows cannot be saved; nothing was changed.", icon=":material/error:")
            st.dataframe(
                pd.DataFrame(
                    [
                        (p.line, COLUMN_NAMES[p.column], p.value, p.reason)
                        for p in error.problems
                        if p.line <= shown
                    ],
                    columns=["line", "column", "value", "reason"],
                ),
                hide_index=True,
                column_config={**jobs_table.REJECTED_COLUMNS, "line": "Row"},
                key="problems",
                alt="The rows that cannot be kept",
            )
            return chosen
        except RestmonError as error:
            messages.show_error(error)
            return chosen
        st.session_state["saved"] = st.session_state.get("saved", 0) + 1
        messages.queue_message("Saved." if changed else "Nothing was changed, as all is as before.")
        st.rerun()
    return chosen


def _edit_hours(store_id: str, kept: pd.DataFrame) -> tuple[list[tuple[Any, ...]], int]:
    """The editor of the hours of a week, or of hours that are the same every day. Returns the rows
    (day, start, end), and how many of the first ones the editor shows."""
    shown = kept.copy()
    for column in (START, END):
        shown[column] = shown[column].map(clock.rewrite_time)
    saved = st.session_state.get("saved", 0)
    same = st.toggle("Same every day", key=f"same_hours_{store_id}_{saved}")
    if same:
        first = shown[DAY].min() if len(shown) else None
        shown = shown.loc[shown[DAY] == first, [START, END]].reset_index(drop=True)
    edited = st.data_editor(
        shown,
        num_rows="dynamic",
        hide_index=True,
        column_config=EDITED_COLUMNS,
        key=f"hours_of_{store_id}_{saved}" + "_same" * same,
        alt=f"Business hours of store {store_id}",
        width=520,
    )
    if not same:
        return list(edited[[DAY, START, END]].itertuples(index=False, name=None)), len(edited)
    spans = list(edited[[START, END]].itertuples(index=False, name=None))
    return [(day, *span) for day in DAYS for span in spans], len(spans)
