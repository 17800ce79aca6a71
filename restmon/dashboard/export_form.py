"""The download of the stored feeds other than polls."""

import streamlit as st

from restmon.access.roles import Actor
from restmon.dashboard import messages
from restmon.dashboard.upload_preview import KINDS
from restmon.ingest.feeds_csv import EXPORTS, export_csv


def offer_exports(actor: Actor) -> None:
    """A choice of feeds, and the download of the chosen one."""
    with st.expander("Download as CSV", icon=":material/download:"):
        kind = st.selectbox(
            "What to download",
            list(EXPORTS),
            index=None,
            format_func=lambda kind: KINDS[kind],
            key="export_kind",
            help="Of all your stores; the file can be imported again.",
        )
        if kind is None:
            return
        with messages.stop_on_error():
            text = export_csv(kind, actor)
        st.download_button(
            f"Download {kind}.csv",
            text.encode(),
            f"{kind}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
            key="export",
        )
