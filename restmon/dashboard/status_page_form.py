"""The form that turns the public status page of a group on and off."""

import streamlit as st

from restmon.access.roles import Actor
from restmon.dashboard import messages
from restmon.documents import status_pages
from restmon.documents.status_pages import ShownStatusPage
from restmon.settings import get_settings
from restmon.stores import groups


def show_status_page_form(who: Actor) -> None:
    """The status page of one of the groups: its address to copy, and what it shows."""
    names = [entry.name for entry in groups.list_groups(who.groups)]
    if not names:
        return
    st.header("Public status page")
    st.markdown(
        "A page of a group that anybody can open who knows its address, without a login: how many "
        "stores are online now, the last 90 days, and which are offline. It is off unless you turn "
        "it on."
    )
    group = st.selectbox("Status page of", names, key="status_group", width=320)
    pages = {page.group: page for page in status_pages.list_status_pages(who)}
    page = pages.get(group)
    if page is None:
        st.caption("It is off.")
    else:
        _show_addresses(page)
    with st.form(f"status_page_{group}", border=False):
        slug = st.text_input(
            "Last part of the address",
            page.slug if page else "",
            max_chars=64,
            placeholder="random",
            key=f"slug_{group}",
            width=320,
            help="a to z, 0 to 9 and -. A random one cannot be guessed.",
        )
        show_ids = st.checkbox(
            "Show the ids of stores", bool(page and page.show_ids), key=f"ids_{group}"
        )
        label = "Save the status page" if page else "Turn the status page on"
        saved = st.form_submit_button(label, icon=":material/public:")
    if saved:
        with messages.continue_on_error():
            made = status_pages.turn_on(group, slug, show_ids, who)
            messages.queue_message(f"The status page of {made.group} is on.")
            st.rerun()
    if page and st.button("Turn the status page off", icon=":material/public_off:", key="off"):
        with messages.continue_on_error():
            status_pages.turn_off(group, who)
            messages.queue_message(f"The status page of {group} is off.")
            st.rerun()


def _show_addresses(page: ShownStatusPage) -> None:
    base = get_settings().api_url
    st.caption("It is on. Addresses of the page, of its data, and of a badge for your own site:")
    st.code(f"{base}{page.path}\n{base}{page.path}.json\n{base}{page.badge_path}", language=None)
