"""What is likely wrong with the data, and the one thing to do about each."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from restmon.access.roles import Role
from restmon.core.findings import Finding, count_of
from restmon.dashboard import identity, live, widgets
from restmon.dashboard.messages import escape_markdown
from restmon.dashboard.page_links import link_to
from restmon.reporting import snapshot
from restmon.reporting.data_check import check_data


def show_examples(finding: Finding) -> None:
    """The stores that something was found of, each a link to its page."""
    examples = finding.examples
    table: dict[str, Sequence[str | None]] = {
        "store": widgets.store_urls(
            (example.store_id for example in examples),
            {example.store_id: example.name for example in examples if example.name},
        ),
        "likely": [
            widgets.store_urls([example.likely], {})[0] if example.likely else None
            for example in examples
        ],
        "detail": [example.detail or None for example in examples],
    }
    st.dataframe(
        pd.DataFrame({name: column for name, column in table.items() if any(column)}),
        hide_index=True,
        column_config={
            "store": widgets.store_link_column(),
            "likely": widgets.store_link_column("Likely the same as"),
            "detail": st.column_config.TextColumn("What", width="large"),
        },
        placeholder="–",
        key=f"examples_{finding.code}",
        alt=f"Stores: {finding.message}",
        height=min(36 * (len(examples) + 1) + 2, 290),
    )
    if finding.more:
        st.caption(f"… and {count_of(finding.more, 'more store')}.")


def show_finding(finding: Finding) -> None:
    """What was found, what to do, and of which stores."""
    with st.container(border=True, key=finding.code):
        st.markdown(f"**{escape_markdown(finding.message)}**")
        st.markdown(f":material/build: {escape_markdown(finding.action)}")
        if finding.examples:
            with st.expander(f"Show {count_of(len(finding.examples), 'store')}"):
                show_examples(finding)


who = identity.require_role()
st.title("Data check")
live.rerun_on_change(snapshot.current_revision())
with st.spinner("Checking …"):
    found = check_data(who)
stores = count_of(found.stores, "store")
if not found.stores:
    st.info("There are no stores yet, so there is nothing to check.", icon=":material/info:")
    if who.may(Role.OWNER):
        link_to("upload", "Upload your files", icon=":material/upload_file:")
elif not found.findings:
    st.success(f"{stores} checked: nothing is missing.", icon=":material/check_circle:")
else:
    st.caption(
        f"{stores} checked. {count_of(len(found.findings), 'thing')} may make the numbers wrong, "
        "the most urgent first."
    )
for finding in found.findings:
    show_finding(finding)
if found.findings and who.may(Role.OWNER):
    with st.container(horizontal=True):
        link_to("upload", "Upload files", icon=":material/upload_file:")
        link_to("settings", "Settings", icon=":material/tune:")
