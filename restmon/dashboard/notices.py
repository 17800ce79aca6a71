"""The notices that several pages show."""

import streamlit as st

from restmon.access.roles import Actor, Role
from restmon.core.formatting import ago
from restmon.dashboard.clock import moment, with_utc
from restmon.dashboard.identity import current_actor
from restmon.dashboard.live import rerun_on_change
from restmon.dashboard.page_links import link_to
from restmon.demo import demo_stores
from restmon.leasing import heartbeats
from restmon.ops import future_polls
from restmon.reporting import feed, snapshot
from restmon.reporting.fleet import Fleet
from restmon.reporting.fleet_view import zones_by_number
from restmon.reporting.snapshot import Stores
from restmon.storage import database, demo_rows
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
        "No worker is running, so imports, reports, documents, schedules and messages wait. Start "
        "one in a terminal: "
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
    link_to("upload", "Upload files", icon=":material/upload_file:")
    st.stop()


def show_freshness(found: Fleet, zone: str | None = None) -> bool:
    """Show the time of the newest poll and its age, and keep the page current. Returns whether the
    feed is stale. ``zone`` is the page's (None: that of most of the stores)."""
    stale = show_stale_feed(found, zone)
    zone = zone or main_zone(found)
    rerun_on_change(
        found.revision,
        lambda: st.caption(
            f"As of **{moment(found.as_of, zone)}**, the newest poll ({ago(found.as_of, now())}).",
            help=f"The numbers end at the newest poll in the database, {moment(found.as_of)}. When "
            "polls come in, this page refreshes on its own.",
        ),
    )
    return stale


def show_stale_feed(found: Fleet, zone: str | None = None) -> bool:
    """Return whether the visitor's stores' polls have stopped, and say so if they have, with times
    in a zone (None: that of most of the stores)."""
    with database.reading():
        stale = feed.read_feed(current_actor().groups).state == feed.STALE
    if stale:
        st.warning(
            f"No polls since {with_utc(found.as_of, zone or main_zone(found))} "
            f"({ago(found.as_of, now())}); these are the last known states. Check the program that "
            "polls the stores, and import its newest file.",
            icon=":material/history:",
        )
    return stale


def main_zone(found: Fleet) -> str:
    """Return the time zone of most of the stores."""
    return zone_of(found.stores)


def zone_of(stores: Stores) -> str:
    """Return the time zone of most of the stores; UTC if there are none."""
    return next(iter(zones_by_number(stores)), "UTC")
