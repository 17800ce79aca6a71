"""The notices that several pages show."""

import streamlit as st

from restmon.access.roles import Actor, Role
from restmon.core.formatting import ago, moment
from restmon.dashboard.identity import current_actor
from restmon.dashboard.live import rerun_on_change
from restmon.demo import demo_stores
from restmon.leasing import heartbeats
from restmon.ops import future_polls
from restmon.reporting import snapshot
from restmon.reporting.fleet import Fleet
from restmon.storage import demo_rows
from restmon.storage.models import now

WORKER_COMMAND = "python -m restmon worker"

DELETE_FUTURE_COMMAND = "python -m restmon forget --after now"


def show_demo_banner(who: Actor) -> None:
    """Say that the stores are made up. An operator also gets a button to remove them."""
    if not demo_rows.has_demo():
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="demo"):
        st.markdown(
            ":material/science: **Demo data.** These stores are made up. Your first upload "
            "removes them, or do it now.",
            width="stretch",
        )
        if who.may(Role.OPERATOR) and st.button("Remove the demo stores", key="clear_demo"):
            demo_stores.clear_demo(who)
            st.rerun()


def show_future_polls(who: Actor) -> None:
    """Warn a visitor who sees every store that there are polls from the future."""
    found = future_polls.count() if who.groups is None else 0
    if not found:
        return
    some = "1 poll is" if found == 1 else f"{found:,} polls are"
    st.warning(
        f"{some} from the future and not shown. Check this machine's clock. If it is right, delete "
        f"the polls in a terminal: `{DELETE_FUTURE_COMMAND}`",
        icon=":material/schedule:",
    )


def show_missing_worker() -> bool:
    """Return whether a worker is alive. If not, say so and how to start one."""
    if heartbeats.is_worker_alive():
        return True
    st.warning(
        "No worker is running, so reports and imports wait. Start one in a terminal: "
        f"`{WORKER_COMMAND}` (or start everything: `make run`).",
        icon=":material/pause_circle:",
    )
    return False


def stop_without_polls() -> None:
    """Say what to do while there are no polls, and stop the page until there are some."""
    rerun_on_change(snapshot.current_revision())
    if not current_actor().may(Role.OPERATOR):
        st.info("There are no polls yet. Ask an operator to import some.")
        st.stop()
    st.info(
        "There are no polls yet. Upload three CSV files to begin: polls, business hours and time "
        "zones.",
        icon=":material/upload_file:",
    )
    st.page_link("pages/upload.py", label="Upload files", icon=":material/upload_file:")
    st.stop()


def show_freshness(found: Fleet) -> None:
    """Show the time of the newest poll and its age, and keep the page current."""
    rerun_on_change(
        found.revision,
        lambda: st.caption(
            f"As of **{moment(found.as_of)}**, the newest poll ({ago(found.as_of, now())}).",
            help="The numbers end at the newest poll in the database. When polls come in, this "
            "page refreshes on its own.",
        ),
    )
