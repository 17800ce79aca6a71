"""The form that imports a small CSV file line by line."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd
import streamlit as st

from restmon.dashboard import jobs_table, messages
from restmon.ingest.batches import Rejection

Import = Callable[[Any], tuple[Sequence[Rejection], str]]
"""Imports an uploaded file. Returns the rejected lines and a sentence about the others."""


def offer_import(thing: str, columns: str, run: Import) -> None:
    """Offer the import of a ``thing`` such as a group, and show the rejected lines of the last
    import. ``columns`` says which columns the file has."""
    uploads, rejected = f"{thing}_uploads", f"{thing}_rejections"
    with st.expander(f"Import {thing}s from a CSV", icon=":material/upload_file:"):
        st.markdown(columns)
        file = st.file_uploader(
            f"CSV of {thing}s",
            type=["csv", "gz"],
            key=f"{thing}s_csv_{st.session_state.get(uploads, 0)}",
        )
        if file and st.button(f"Import the {thing}s", type="primary", key=f"import_{thing}s"):
            with messages.continue_on_error():
                rejections, message = run(file)
                st.session_state[uploads] = st.session_state.get(uploads, 0) + 1
                st.session_state[rejected] = rejections
                messages.queue_message(message)
                st.rerun()
    if shown := st.session_state.get(rejected):
        st.warning("These lines were left out; all others count.", icon=":material/warning:")
        st.dataframe(
            pd.DataFrame([asdict(rejection) for rejection in shown]),
            hide_index=True,
            column_config=jobs_table.REJECTED_COLUMNS,
            key=f"{thing}_problems",
            alt=f"Rejected lines of the {thing}s file",
            height=min(36 * (len(shown) + 1) + 2, 220),
        )
