"""The form for the usual sales of a store in each hour of the week."""

from typing import Any

import pandas as pd
import streamlit as st

from restmon.access.roles import Actor
from restmon.core.formatting import WEEKDAYS
from restmon.dashboard import clock, messages
from restmon.dashboard.store_forms import save_or_explain
from restmon.ingest import store_editing

EVERY_DAY = "Every day"


def show_sales_form(store_id: str, actor: Actor) -> None:
    """A table of 24 hours with seven columns of days, or one column for every day."""
    with messages.stop_on_error():
        kept = store_editing.read_sales(store_id, actor)
    with st.expander("Sales in each hour of the week", icon=":material/payments:"):
        st.caption(
            "What the store usually sells in each hour, in your own currency. It is used to "
            "estimate what an outage costs. Leave empty what is not known."
        )
        saved = st.session_state.get("saved", 0)
        same = st.toggle("Same every day", key=f"same_sales_{store_id}_{saved}")
        shown = pd.DataFrame({EVERY_DAY: kept.mean(axis=1).round(2)}) if same else kept
        config: dict[str, Any] = {
            column: st.column_config.NumberColumn(column, min_value=0) for column in map(str, shown)
        }
        config["hour"] = st.column_config.TextColumn("From", pinned=True)
        hours = [clock.write_hour(hour) for hour in range(24)]
        edited = st.data_editor(
            shown.assign(hour=hours)[["hour", *shown]],
            hide_index=True,
            disabled=["hour"],
            column_config=config,
            key=f"sales_of_{store_id}_{saved}" + "_same" * same,
            alt=f"Hourly sales of store {store_id}",
        )
        if st.button("Save the sales", icon=":material/save:", key="save_sales"):
            if same:
                edited = pd.DataFrame(dict.fromkeys(WEEKDAYS, edited[EVERY_DAY]))
            save_or_explain(lambda: store_editing.save_sales(store_id, edited, actor))
