"""Who did what, on the Access page."""

import streamlit as st

from restmon.core.findings import count_of
from restmon.dashboard import filters, notices, store_data, widgets
from restmon.dashboard.clock import moment
from restmon.dashboard.html_table import Cell, Column, show_table
from restmon.ops import audit_list
from restmon.ops.audit_list import AuditQuery

AT_ONCE = 50
HEADS = [Column("When"), Column("Who"), Column("What"), Column("From")]
SHOWN = "audit_shown"


def show_audit() -> None:
    """The newest entries in words, with filters, links and a CSV file."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        person = st.selectbox(
            "Who",
            audit_list.list_people(),
            index=None,
            placeholder="Everybody",
            key="who",
            bind="query-params",
            width=2 * filters.WIDTH,
        )
        kind = st.selectbox(
            "What",
            audit_list.KINDS,
            index=None,
            placeholder="Everything",
            key="what",
            bind="query-params",
            width=filters.WIDTH,
        )
        widgets.show_download(
            "Download (CSV)",
            lambda: audit_list.make_csv(AuditQuery(person, kind)).encode(),
            "audit.csv",
            key="audit_csv",
        )
    most = st.session_state.get(SHOWN, AT_ONCE)
    lines = audit_list.list_lines(AuditQuery(person, kind, most + 1))
    if not lines:
        st.info("Nothing here yet." if not (person or kind) else "Nothing matches these filters.")
        return
    zone = notices.zone_of(store_data.visible_stores())
    show_table(
        "Who did what, newest first",
        HEADS,
        [
            [
                Cell(moment(line.entry.at, zone), hover=moment(line.entry.at, seconds=True)),
                line.entry.actor,
                Cell(line.what, href=line.url),
                line.entry.address,
            ]
            for line in lines[:most]
        ],
    )
    if len(lines) > most and st.button("Show more", key="more_audit"):
        st.session_state[SHOWN] = 2 * most
        st.rerun()
    st.caption(f"The newest {count_of(min(most, len(lines)), 'entry', 'entries')}.")
