"""What all pages share: the frame around a page, its notices, and the data they read."""

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import compress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from pages import gate
from pages.opening import opened
from restmon import (
    accounts,
    audit,
    database,
    demo_data,
    fleet,
    groups,
    heartbeats,
    scope,
    snapshot,
)
from restmon.errors import NoPolls, RestmonError
from restmon.fleet import NEVER_OBSERVED, UP, Fleet
from restmon.models import COMPLETE, FAILED, RUNNING, Import, Report, now
from restmon.roles import THIS_MACHINE, Actor, Role
from restmon.settings import get_settings
from restmon.uptime import NEAREST, PREVIOUS
from restmon.wording import ago, at, moment

_frame = threading.local()
NOBODY = Actor("nobody", Role.VIEWER, frozenset())
STATUS_NAMES = {RUNNING: "◔ Running", COMPLETE: "✓ Complete", FAILED: "✗ Failed"}
DOWN_NOW, OPEN_NOW = "Down now", "Open now"
METHOD_NAMES = {NEAREST: "Nearest poll", PREVIOUS: "Previous poll"}
DARK_BUTTONS = (
    "[data-testid^=stBaseButton-primary], [data-testid^=stBaseButton-primary] *"
    " {color: #0A131C !important}"
)
# Streamlit cuts the text of a link off where a phone ends.
WHOLE_LINKS = "[data-testid=stPageLink-NavLink] > span:last-child {white-space: normal}"
WORKER_COMMAND = "python -m restmon worker"
REJECTED_COLUMNS = {
    "file": "File",
    "line": st.column_config.NumberColumn("Line", format="localized"),
    "column": "Column",
    "value": "Value",
    "reason": "Why it is rejected",
}
ICON = Path(__file__).parent / "icon.svg"
"""A file: browsers fetch Streamlit's own icons from another machine."""
BUSY_SECONDS, IDLE_SECONDS, LOOK_SECONDS = 1, 5, 30
MOST_OFFERED = 500
"""Of more stores than this, no list of all is sent to the browser."""
MOST_FOUND = 20


def navigation() -> Any:
    """The page that was asked for; draws the menu. Paths are the files' names, as AppTest needs."""
    st.set_page_config(page_title="restmon", page_icon=ICON, layout="wide")
    who = _for_the_menu()

    def page(name: str, title: str, icon: str, shown: bool = True) -> Any:
        visibility: Any = "visible" if shown else "hidden"
        path = f"pages/{name}.py"
        return st.Page(path, title=title, icon=f":material/{icon}:", visibility=visibility)

    chosen = st.navigation(
        [
            page("overview", "Overview", "monitoring"),
            page("stores", "Stores", "list"),
            page("store", "Store", "storefront"),
            page("upload", "Upload", "upload_file", who.may(Role.OWNER)),
            page("reports", "Reports", "description"),
            page("settings", "Settings", "tune", who.may(Role.OWNER)),
            page("access", "Access", "key", who.may(Role.OPERATOR)),
            page("help", "Help", "help"),
            page("account", "Your account", "account_circle", who not in {THIS_MACHINE, NOBODY}),
        ],
        position="top",
    )
    titled(chosen.title)
    return chosen


def titled(name: str) -> None:
    """What the browser calls the page in its tabs and its history."""
    st.set_page_config(page_title=f"{name} · restmon")


def framed(needs: Role = Role.VIEWER) -> None:
    """The first line of every page: make sure that it stands in its frame, and is seen by those
    alone whose role may do what it is for.

    Streamlit runs a file of pages/ by itself when a process's first visitor asks for its address,
    before app.py has told of its navigation.
    """
    if not getattr(_frame, "entered", False):
        navigation()
        st.rerun()
    actor().must(needs)


def actor() -> Actor:
    """Who looks at the page; where nobody has logged in, how to do that, and the page ends."""
    found = _who()
    if found is None:
        _log_in()
    return found or NOBODY


def _who() -> Actor | None:
    """Who has logged in, or whoever uses this machine where that is enough."""
    if not accounts.needed(get_settings()):
        return THIS_MACHINE
    token = st.context.cookies.get(gate.COOKIE)
    found = accounts.of_token(token) if token else None
    if found is None and gate.oidc():
        vouched = gate.vouched(st.user)
        found = accounts.of_email(*vouched, address()) if vouched else None
    return found


def _log_in() -> None:
    """Tell how to log in; ends the page."""
    st.title("restmon")
    if gate.oidc() and getattr(st.user, "is_logged_in", False):
        st.error(
            f"You are known as {literal(str(st.user.get('email') or 'nobody'))}, which has no "
            "account here, or your login is too long ago. Ask an operator for an account.",
            icon=":material/error:",
        )
        st.button("Log in as someone else", on_click=st.logout, key="logout")
        st.stop()
    st.info("Log in to see your stores.", icon=":material/lock:")
    with st.container(horizontal=True):
        if gate.oidc():
            st.button("Log in", type="primary", on_click=st.login, key="login")
        st.link_button("Log in with e-mail and password", gate.LOGIN, icon=":material/login:")
    st.stop()


def log_out() -> None:
    """End the visitor's login; ends the page."""
    token = st.context.cookies.get(gate.COOKIE)
    if token:
        accounts.log_out(token, address())
    if gate.oidc() and getattr(st.user, "is_logged_in", False):
        st.logout()
    st.rerun()


def address() -> str:
    """Where the visitor comes from, for the audit; "" where that is not known."""
    return st.context.ip_address or ""


def _for_the_menu() -> Actor:
    """Who looks at the page; the menu is drawn before anything is asked or told."""
    try:
        with opened():
            return _who() or NOBODY
    except RestmonError:
        return NOBODY


def run(page: Any) -> None:
    """Show a page in its frame: what goes wrong is one sentence, never a traceback."""
    _frame.entered = True
    try:
        _run(page)
    finally:
        _frame.entered = False


def _run(page: Any) -> None:
    with told():
        readable_buttons()
        with opened(), database.session():
            demo_banner(actor())
            page.run()


def readable_buttons() -> None:
    """Dark letters on the main buttons of the dark theme, whose colour is light."""
    if st.context.theme.type == "dark":
        st.html(f"<style>{DARK_BUTTONS}</style>")


@contextmanager
def told() -> Iterator[None]:
    """Tell the user what went wrong inside the block, and stop there."""
    try:
        yield
    except RestmonError as error:
        tell(error)
        st.stop()


def tell(error: RestmonError) -> None:
    """What went wrong and how to mend it."""
    st.error(f"{literal(error.message)} {literal(error.hint)}".strip(), icon=":material/error:")


def literal(text: str) -> str:
    """Text of a file or a person, so that Markdown shows it as it stands."""
    return re.sub(r"([\\`*_\[\]<>~$:#|])", r"\\\1", text)


def live(show: Callable[[], None], *, every: int) -> None:
    """Show a part of a page and keep it current by itself, ``every`` so many seconds."""

    def part() -> None:
        with told(), database.explained(), database.session():
            show()

    st.fragment(part, run_every=every)()


def kept_current(revision: int, show: Callable[[], None] = lambda: None) -> None:
    """Run the page again by itself once the data are no longer those of the revision; ``show`` a
    part of it each time that is looked at."""

    def look() -> None:
        if snapshot.current_revision() != revision:
            st.rerun()
        show()

    live(look, every=LOOK_SECONDS)


def store_choice(store_ids: list[str]) -> str | None:
    """The store that is chosen, kept in the address; says so when what was typed is none.

    A list of all of many stores would take a browser a second to make; there a part of an id is
    typed, and those that have it are offered.
    """
    options, hint = store_ids, "Choose a store, or type a part of its id"
    if len(store_ids) > MOST_OFFERED:
        options, hint = [], "Type a store's id, or a part of it, and press Enter"
    typed = st.selectbox(
        "Store",
        options,
        index=None,
        placeholder=hint,
        accept_new_options=True,
        filter_mode="contains",
        key="store",
        bind="query-params",
    )
    if not typed or typed in store_ids:
        return typed
    found = [store_ids[n] for n in np.flatnonzero(having(store_ids, typed))]
    shown = literal(typed[:64])
    if not typed.strip() or not found:
        st.error(
            f"There is no store “{shown}”, and none with this in its id. Type another.",
            icon=":material/error:",
        )
        return None
    st.markdown(
        f"**{len(found):,}** store{' has' if len(found) == 1 else 's have'} “{shown}” in the id"
        + (f"; the first {MOST_FOUND} of them:" if len(found) > MOST_FOUND else ":")
    )
    with st.container(horizontal=True, key="found"):
        for store_id in found[:MOST_FOUND]:
            st.button(literal(store_id), key=f"found_{store_id}", on_click=_choose, args=[store_id])
    return None


def having(store_ids: list[str], part: str) -> NDArray[np.bool_]:
    """Which ids have the part in them, in capitals or not; spaces around it do not count."""
    names = pd.Series(store_ids, dtype="str")
    return names.str.contains(part.strip(), case=False, regex=False).to_numpy(bool)


def _choose(store_id: str) -> None:
    st.session_state["store"] = store_id


def stores_page(label: str, parameters: dict[str, str]) -> None:
    """The link to the table of stores, with filters."""
    st.page_link("pages/stores.py", label=label, icon=":material/list:", query_params=parameters)


def store_pages(told: Iterable[tuple[str, str]]) -> None:
    """Links to the pages of stores: (id, what is told of it, in Markdown) each."""
    st.html(f"<style>{WHOLE_LINKS}</style>")
    for store_id, text in told:
        st.page_link(
            "pages/store.py",
            label=f"**{literal(store_id)}** {text}",
            icon=":material/storefront:",
            query_params={"store": store_id},
        )


def under_way(jobs: list[Any], known: list[str], called: Callable[[Any], str]) -> None:
    """The progress of the jobs that run, each by what it is ``called``; when one begins or ends,
    so that the ids are not those ``known``, the page is run again."""
    worker_notice()
    rows = [row for row in jobs if row.status == RUNNING]
    if [row.id for row in rows] != known:
        st.rerun()
    for row in rows:
        text = "waiting for a worker" if row.lease_until is None else f"{row.progress:.0%}"
        st.progress(min(max(row.progress, 0.0), 1.0), text=f"{called(row)}: {text}")


def asked_by(row: Report | Import) -> str:
    """Who asked for a report or an import, and by which way."""
    if row.actor in {"", THIS_MACHINE.name}:
        return str(row.requested_by)
    return f"{row.actor}, {row.requested_by}"


def job_history(
    rows: list[Any],
    columns: dict[str, list[Any]],
    config: dict[str, Any],
    *,
    chosen: str | None,
    parameter: str,
    name: str,
) -> None:
    """All reports, or imports, in a table: the ``columns`` of their own (with their ``config``)
    between the status and who asked when. The one that is picked is put into the address."""
    ids = [row.id for row in rows]
    # A choice is of the rows it was made on.
    key = f"{name}_{ids[0][:8]}"

    def pick() -> None:
        picked = st.session_state[key]["selection"]["rows"]
        if picked and picked[0] < len(ids):
            st.query_params[parameter] = ids[picked[0]]

    table = {
        "status": [STATUS_NAMES[row.status] for row in rows],
        **columns,
        "requested_by": [asked_by(row) for row in rows],
        "requested_at": [at(row.requested_at) for row in rows],
    }
    st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        column_config={
            "status": "Status",
            **config,
            "requested_by": "Asked for by",
            "requested_at": st.column_config.DatetimeColumn(
                "Asked for (UTC)", format="YYYY-MM-DD HH:mm:ss", timezone="UTC"
            ),
        },
        on_select=pick,
        selection_mode="single-row",
        selection_default={"selection": {"rows": [n for n, i in enumerate(ids) if i == chosen]}},
        key=key,
        alt=f"Table of all {parameter}s, newest first",
        height=min(36 * (len(rows) + 1) + 2, 300),
        placeholder="–",
    )


def demo_banner(who: Actor) -> None:
    """Say on every page that the stores are made up, to an operator with the button that removes
    them."""
    if not demo_data.has_demo():
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="demo"):
        st.markdown(
            ":material/science: **Demo data.** These stores are made up. Your first upload "
            "removes them, or do it now.",
            width="stretch",
        )
        if who.may(Role.OPERATOR) and st.button("Remove the demo stores", key="clear_demo"):
            demo_data.clear_demo()
            audit.note(who, audit.DEMO_REMOVED, address=address())
            st.rerun()


def worker_notice() -> bool:
    """Whether a worker is alive; if not, say so and how to start one."""
    if heartbeats.worker_alive():
        return True
    st.warning(
        "No worker is running, so reports and imports wait. Start one in a terminal: "
        f"`{WORKER_COMMAND}` (or start everything: `make run`).",
        icon=":material/pause_circle:",
    )
    return False


def nothing_yet() -> None:
    """What to do when the database has no polls; ends the page, until there are some."""
    kept_current(snapshot.current_revision())
    if not actor().may(Role.OPERATOR):
        st.info("There are no polls yet. An operator has to import some first.")
        st.stop()
    st.info(
        "There are no polls yet. Upload three CSV files to begin: polls, business hours and time "
        "zones.",
        icon=":material/upload_file:",
    )
    st.page_link("pages/upload.py", label="Upload files", icon=":material/upload_file:")
    st.stop()


def freshness(found: Fleet) -> None:
    """As of when the numbers are, and how old that is; keeps the page current."""
    kept_current(
        found.revision,
        lambda: st.caption(
            f"As of **{moment(found.as_of)}**, the newest poll ({ago(found.as_of, now())}).",
            help="The numbers end at the newest poll in the database. When polls come in, this "
            "page shows them by itself.",
        ),
    )


def store_ids() -> list[str]:
    """The ids of all stores that the visitor may see, as text in order."""
    who = actor()
    with database.reading():
        ids = snapshot.cache.get().stores.ids
    return ids if who.groups is None else list(compress(ids, scope.mask(who.groups, ids)))


def fleet_or_stop() -> Fleet:
    """All stores that the visitor may see as of the newest poll; where there is none, or no poll,
    what to do next."""
    who = actor()
    try:
        with st.spinner("Counting …"):
            found = fleet.fleet()
            if who.groups is None:
                return found
            found = found.chosen(scope.mask(who.groups, found.ids))
    except NoPolls:
        nothing_yet()
        raise AssertionError from None  # nothing_yet has stopped the page
    if not found.ids:
        st.info(
            "No store is in your groups yet. Ask an operator to put your stores into them.",
            icon=":material/group_off:",
        )
        st.stop()
    return found


def filtered(found: Fleet, *, with_now: bool = False) -> NDArray[np.bool_]:
    """The filters, kept in the address; returns which stores they leave."""
    mask = np.ones(len(found.ids), bool)
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        search = st.text_input(
            "Search stores", key="search", bind="query-params", type="search", width=220
        )
        zones = sorted(set(found.zones.tolist()))
        zone = st.selectbox(
            "Time zone",
            zones,
            index=None,
            placeholder="All zones",
            key="zone",
            bind="query-params",
            width=220,
        )
        group_names = [entry.name for entry in groups.listed(actor().groups)]
        group = None
        if group_names:
            group = st.selectbox(
                "Group",
                group_names,
                index=None,
                placeholder="All groups",
                key="group",
                bind="query-params",
                width=220,
            )
        now_is = None
        if with_now:
            now_is = st.segmented_control(
                "Now", [DOWN_NOW, OPEN_NOW], key="now", bind="query-params"
            )
    if search and search.strip():
        mask &= having(found.ids, search)
    if zone:
        mask &= found.zones == zone
    if group:
        mask &= pd.Series(found.ids, dtype="str").isin(groups.members_of(group)).to_numpy(bool)
    if now_is == DOWN_NOW:
        mask &= found.down_now
    elif now_is == OPEN_NOW:
        mask &= found.open_now
    return mask


def same_filters(**more: str) -> dict[str, str]:
    """The address's part for the same filters on another page, and ``more``."""
    chosen = {name: st.session_state.get(name) for name in ("search", "zone", "group")}
    return {name: str(value) for name, value in chosen.items() if value} | more


def nothing_left(mask: NDArray[np.bool_]) -> bool:
    """Whether the filters leave no store; says so."""
    if mask.any():
        return False
    st.info("No store fits these filters. Clear one of them.", icon=":material/filter_alt_off:")
    return True


def now_text(found: Fleet, n: int) -> str:
    """A store's status now, in a word and a symbol."""
    if found.status[n] == NEVER_OBSERVED:
        return "– never observed"
    if not found.open_now[n]:
        return "○ closed"
    return "▲ up" if found.status[n] == UP else "▼ down"


def addresses(store_ids: Iterable[str]) -> list[str]:
    """The address of each store's page."""
    return ["/store?store=" + quote(store_id, safe=":") for store_id in store_ids]


def store_link() -> Any:
    """The column of such addresses: it shows the store's id."""
    return st.column_config.LinkColumn("Store", display_text=r"store=(.*)$", pinned=True)


def chart(figure: Any, description: str, **options: Any) -> Any:
    """Show a Plotly figure without the tool bar; ``description`` is for screen readers."""
    config = {"displayModeBar": False, "scrollZoom": False}
    return st.plotly_chart(figure, config=config, alt=description, **options)
