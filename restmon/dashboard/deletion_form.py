"""The forms that delete polls of a range of time, or a store with everything that belongs to it."""

import streamlit as st

from restmon.access.roles import Actor
from restmon.core.findings import count_of
from restmon.dashboard import messages, widgets
from restmon.ops import deletion
from restmon.reporting.computation import parse_instant
from restmon.reporting.snapshot import Stores

STORE_IS_GONE = "store_is_gone"
"""Set after the chosen store was deleted, because a box's choice can change only before it is
drawn.
"""


def show_deletion_forms(who: Actor, stores: Stores) -> None:
    """Show both forms. Each says how much it would delete before it asks to confirm."""
    st.markdown("Deleted data cannot be restored. Make a backup first.")
    _delete_polls(who)
    _delete_store(who, stores)


def _delete_polls(who: Actor) -> None:
    st.header("Polls between two times")
    with st.form("deleted_range", border=False):
        left, middle, right = st.columns(3)
        begin = left.text_input(
            "From (UTC)", placeholder="2026-11-01 00:00", key="delete_from", help="Included."
        )
        end = middle.text_input(
            "To (UTC)", placeholder="2026-11-02 00:00", key="delete_to", help="Not included."
        )
        store = right.text_input("Store", placeholder="All stores", key="delete_store_id")
        st.form_submit_button("Count the polls", key="count_polls")
    if not (begin.strip() or end.strip() or store.strip()):
        return
    with messages.continue_on_error():
        chosen = deletion.PollRange(
            parse_instant("from", begin) if begin.strip() else None,
            parse_instant("to", end) if end.strip() else None,
            store.strip() or None,
        )
        count = deletion.count_polls(chosen)
        if not count:
            st.info("There are no polls in that range.")
        elif _confirm(f"{count_of(count, 'poll')} {chosen}", f"delete_polls_{chosen}"):
            deleted = deletion.delete_polls(chosen, who)
            messages.queue_message(f"Deleted {count_of(deleted, 'poll')} {chosen}.")
            st.rerun()


def _delete_store(who: Actor, stores: Stores) -> None:
    st.header("A store and everything that belongs to it")
    if st.session_state.pop(STORE_IS_GONE, False):
        st.session_state["store"] = None
    store_id = widgets.choose_store(stores)
    if store_id is None:
        return
    called = stores.label(store_id)
    with messages.continue_on_error():
        count = deletion.count_polls(deletion.PollRange(store_id=store_id))
        what = f"store {called}, its {count_of(count, 'poll')}, hours and all else that is its own"
        if _confirm(what, f"delete_store_{store_id}"):
            deletion.delete_store(store_id, who)
            st.session_state[STORE_IS_GONE] = True
            messages.queue_message(f"Store {called} and its {count_of(count, 'poll')} are deleted.")
            st.rerun()


def _confirm(what: str, key: str) -> bool:
    """Say what would be deleted, and return whether the person has confirmed it."""
    st.warning(f"This deletes {messages.escape_markdown(what)}.", icon=":material/warning:")
    with st.popover("Delete", icon=":material/delete:"):
        return st.button("Delete for good", key=key)
