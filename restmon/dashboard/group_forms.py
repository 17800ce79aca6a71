"""The forms that create, import and change groups."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from restmon.dashboard import identity, messages, widgets
from restmon.dashboard.lines_import import offer_import
from restmon.ingest import groups_csv
from restmon.ingest.batches import Rejection
from restmon.reporting.snapshot import Stores
from restmon.stores import groups


def ask_for_import() -> None:
    """Groups from a CSV file."""
    offer_import(
        "group",
        "Columns `store_id` and `group`; a store may be in several groups.",
        import_groups,
    )


def import_groups(file: Any) -> tuple[Sequence[Rejection], str]:
    """Import memberships. Returns the rejected lines, and how many lines there were."""
    done = groups_csv.import_csv(file, file.name, identity.current_actor())
    counts = done.counts
    return done.rejections, (
        f"{counts.read:,} lines read: {counts.new:,} new, {counts.unchanged:,} unchanged, "
        f"{counts.rejected:,} rejected."
    )


def ask_for_new_group() -> None:
    """Make an empty group and choose it as the group to change."""
    with st.form("new_group", clear_on_submit=True, border=False):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        name = left.text_input("Name of a new group", max_chars=64, key="new_name")
        pressed = right.form_submit_button("Add the group", icon=":material/add:")
    if pressed:
        with messages.continue_on_error():
            made = groups.create(name, identity.current_actor())
            messages.queue_message(f"The group {made.name} is there; put stores into it below.")
            rerun_with_group(made.name)


def rerun_with_group(group: str | None) -> None:
    """Run the page again with that group chosen as the one to change."""
    st.session_state["next_group"] = group
    st.rerun()


def show_groups(listed: list[groups.GroupSize]) -> None:
    """All groups, and their download."""
    st.dataframe(
        pd.DataFrame([(entry.name, entry.stores) for entry in listed], columns=["name", "stores"]),
        hide_index=True,
        column_config={
            "name": "Group",
            "stores": st.column_config.NumberColumn("Stores", format="localized"),
        },
        key="groups",
        alt="All groups with the number of their stores",
        width=420,
    )
    st.download_button(
        "Download all groups (CSV)",
        groups.export_csv().encode(),
        "groups.csv",
        "text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="groups_download",
    )


def show_group_forms(stores: Stores) -> None:
    """The groups: a brand, an owner, a city."""
    st.markdown(
        "A group is any set of stores you want to look at together: a brand, an owner, a city. "
        "The overview and the list of stores can be narrowed to one."
    )
    ask_for_new_group()
    ask_for_import()
    listed = groups.list_groups()
    if not listed:
        st.info("No groups yet. Add one, or import a CSV.")
        return
    show_groups(listed)
    if wanted := st.session_state.pop("next_group", None):
        st.session_state["edit"] = wanted
    names = [entry.name for entry in listed]
    chosen = st.selectbox("Change a group", names, key="edit", bind="query-params")
    members = groups.members_of(chosen)
    saved = st.session_state.get("saved", 0)
    if members:
        st.dataframe(
            pd.DataFrame({"store": [stores.label(store_id) for store_id in members]}),
            hide_index=True,
            lazy=True,
            column_config={"store": "Stores of the group"},
            key="members",
            alt=f"The stores of the group {chosen}",
            width=420,
            height=min(36 * (len(members) + 1) + 2, 220),
        )
    else:
        st.caption("No stores in this group yet.")
    left, right = st.columns(2)
    inside = set(members)
    with left:
        others = [store_id for store_id in stores.ids if store_id not in inside]
        added = widgets.choose_stores(
            "Put stores in", others, stores, key=f"added_{chosen}_{saved}"
        )
    with right:
        removed = widgets.choose_stores(
            "Take stores out", members, stores, key=f"removed_{chosen}_{saved}"
        )
    new_name = st.text_input("Name", chosen, max_chars=64, key=f"name_{chosen}_{saved}")
    with st.container(horizontal=True):
        save = st.button("Save the group", type="primary", icon=":material/save:", key="save_group")
        with st.popover("Delete the group", icon=":material/delete:"):
            st.markdown(f"Its {len(members):,} stores stay.")
            sure = st.button("Delete it", key="delete_group")
    if save:
        with messages.continue_on_error():
            added, removed = (widgets.find_stores(stores, texts) for texts in (added, removed))
            kept = groups.change(chosen, new_name, added, removed, identity.current_actor())
            st.session_state["saved"] = saved + 1
            messages.queue_message(
                f"The group {kept.name} has {kept.stores:,} store{'s'[: kept.stores != 1]}."
            )
            rerun_with_group(kept.name)
    if sure:
        with messages.continue_on_error():
            groups.delete(chosen, identity.current_actor())
            messages.queue_message(f"The group {chosen} is deleted.")
            rerun_with_group(None)
