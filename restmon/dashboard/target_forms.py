"""The forms that set uptime targets of stores, groups and all stores."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from restmon.access.roles import Actor, Role
from restmon.dashboard import messages, widgets
from restmon.dashboard.lines_import import offer_import
from restmon.ingest import targets_csv
from restmon.ingest.batches import Rejection
from restmon.reporting.snapshot import Stores
from restmon.stores import groups, targets
from restmon.stores.subjects import Subject

ALL, GROUP, STORE = "All stores", "A group", "A store"


def show_target_forms(actor: Actor, stores: Stores) -> None:
    """Show the targets, a form that sets one, and an import of many."""
    st.header("Uptime targets")
    st.markdown(
        "Targets are checked month by month. A store's own target comes first, then the highest "
        "of its groups', then that of all stores."
    )
    _show_targets(actor)
    subject = _choose_subject(actor, stores)
    if subject is not None:
        _show_form(subject, actor)
    _show_import(actor)


def _show_targets(actor: Actor) -> None:
    found = targets.list_targets(actor)
    if not found:
        st.info("No targets yet.")
        return
    rows = [(targets.name_subject(Subject(one.store, one.group)), one.percent) for one in found]
    st.dataframe(
        pd.DataFrame(rows, columns=["of", "target"]),
        hide_index=True,
        column_config={
            "of": "Target of",
            "target": st.column_config.NumberColumn("Uptime", format="%g %%"),
        },
        key="targets",
        alt="All targets",
        width=420,
        height=min(36 * (len(rows) + 1) + 2, 290),
    )


def _choose_subject(actor: Actor, stores: Stores) -> Subject | None:
    """The store or group whose target to set; None until one is chosen."""
    kinds = [ALL, GROUP, STORE] if actor.may(Role.OPERATOR) else [GROUP, STORE]
    kind = st.radio("Set the target of", kinds, horizontal=True, key="target_kind")
    if kind == ALL:
        return targets.ALL_STORES
    if kind == GROUP:
        names = [group.name for group in groups.list_groups(actor.groups)]
        name = st.selectbox("Group", names, index=None, key="target_group")
        return Subject(group=name) if name else None
    store_id = widgets.choose_store(stores, key="target_store")
    return Subject(store=store_id) if store_id else None


def _show_form(subject: Subject, actor: Actor) -> None:
    shown = targets.name_subject(subject)
    with st.form(f"target_{shown}", border=False):
        text = st.text_input(
            f"Uptime of {shown} (%)",
            max_chars=12,
            key=f"target_value_{shown}",
            placeholder="99.5",
        )
        with st.container(horizontal=True):
            save = st.form_submit_button(
                "Save the target", type="primary", icon=":material/save:", key="save_target"
            )
            remove = st.form_submit_button(
                "Remove the target", icon=":material/delete:", key="remove_target"
            )
    with messages.continue_on_error():
        if save:
            target = targets.parse_target(text)
            targets.set_target(subject, target, actor)
            percent = targets.as_percent(target)
            messages.queue_message(f"The target of {shown} is {percent:g} % now.")
            st.rerun()
        if remove:
            targets.remove_target(subject, actor)
            messages.queue_message(f"The target of {shown} is removed.")
            st.rerun()


def _show_import(actor: Actor) -> None:
    def run(file: Any) -> tuple[Sequence[Rejection], str]:
        done = targets_csv.import_targets_csv(file, file.name, actor)
        counts = done.counts
        return done.rejections, (
            f"{counts.read:,} lines read: {counts.new:,} new, {counts.updated:,} updated, "
            f"{counts.unchanged:,} unchanged, {counts.rejected:,} rejected."
        )

    offer_import(
        "target",
        "Columns `store_id` or `group`, and `target` (per cent); `*` stands for all stores.",
        run,
    )
