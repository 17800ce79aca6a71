"""What the outages of a window cost: the sum, how sure it is, and the most costly stores."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from restmon.access.roles import Actor, Role
from restmon.core.findings import count_of
from restmon.core.formatting import duration
from restmon.core.lost_sales import total_lost_sales
from restmon.dashboard import clock
from restmon.dashboard.html_table import Cell, Column, show_table, store_address
from restmon.reporting.outage_list import FoundOutages

MOST_SHOWN = 5
HEADS = [
    Column("Most costly stores"),
    Column("Lost (estimate)", numeric=True),
    Column("Down", numeric=True),
    Column("Outages", numeric=True),
]


def show_costs(
    found: FoundOutages, ids: NDArray[np.object_], when: str, who: Actor, more: dict[str, str]
) -> None:
    """The estimated loss of the stores with the ids in the window, which ``when`` says in words,
    and the stores that lost most. ``more`` are query parameters for their links."""
    chosen = set(ids.tolist())
    mask = np.array([store in chosen for store in found.stores.ids], bool) & (found.costs.down > 0)
    costs = found.costs.of(mask)
    if not mask.any():
        return
    lost, left_out = total_lost_sales(costs.lost)
    stores = count_of(len(costs.down), "store")
    down = f"{stores} {'was' if len(costs.down) == 1 else 'were'} down for " + duration(
        int(costs.down.sum())
    )
    if not np.isfinite(lost):
        st.markdown(f"## {down} {when}, in all. What that cost is not known.")
        if who.may(Role.OWNER):
            st.caption("Give the sales of the stores on the Settings page to see an estimate.")
        return
    amount = clock.money(lost).replace("$", "\\$")
    st.markdown(f"## An estimated {amount} was lost {when}.")
    rest = f" {count_of(left_out, 'store')} without known sales left out." if left_out else ""
    st.caption(f"{down}, in all. Outages count with their part in this window.{rest}")
    order = np.argsort(-np.nan_to_num(costs.lost, nan=-1.0), kind="stable")
    order = order[costs.lost[order] > 0][:MOST_SHOWN]
    if len(order) < 2:
        return
    places = np.flatnonzero(mask)
    counts = np.bincount(found.outages.store, minlength=len(found.stores.ids))
    rows: list[list[Cell | str]] = []
    for k in order.tolist():
        place = int(places[k])
        label = found.stores.label(found.stores.ids[place])
        rows.append(
            [
                Cell(label, "", store_address(label, **more)),
                clock.money(float(costs.lost[k])),
                duration(int(costs.down[k])),
                f"{int(counts[place]):,}",
            ]
        )
    show_table("The most costly stores of the window", HEADS, rows, compact=True)
