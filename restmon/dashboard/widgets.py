"""Small pieces that pages share."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from restmon.core.formatting import store_label
from restmon.core.status_now import STATUS_NAMES
from restmon.dashboard import compat, printing
from restmon.dashboard.messages import escape_markdown
from restmon.dashboard.page_links import link_to
from restmon.errors import BadRequest
from restmon.reporting.fleet import Fleet
from restmon.reporting.snapshot import Stores

# The background of the primary buttons is light in the dark theme. A page is not run again when the
# theme changes, so the style itself has both colors.
BUTTONS = (
    "[data-testid^=stBaseButton-primary], [data-testid^=stBaseButton-primary] *"
    " {color: light-dark(#FFFFFF, #0A131C) !important}"
)

# Streamlit cuts off the text of a link at the edge of a phone's screen.
WRAPPED_LINKS = "[data-testid=stPageLink-NavLink] > span:last-child {white-space: normal}"

# The color of a link is too faint on that of a caption.
CAPTION_LINKS = (
    "[data-testid=stCaptionContainer] a {color: inherit !important; text-decoration: underline}"
)

# An element that shows nothing would take the space between two.
HIDDEN_SCRIPT = "[data-testid=stElementContainer]:has(> * > script) {display: none}"

# The name of a time zone fits into half of a phone's width if it is written smaller.
ZONES = (
    ":is(.st-key-times_in, .st-key-zone) input {padding: 0 0 0 0.5rem} "
    "@media screen and (max-width: 700px) {:is(.st-key-times_in, .st-key-zone) "
    "{width: 168px !important; flex: 0 0 168px !important; "
    "input {font-size: 0.75rem; letter-spacing: -0.02em; padding: 0 0 0 0.4rem}}}"
)

MOST_OFFERED = 500
"""With more stores than this, the browser does not get the list of all stores."""

MOST_FOUND = 20

PHONE = "Mobi"
"""What the User-Agent header of a phone's browser holds."""

CALLED = "called"
"""The parameter of a store's address that holds what a table shows of it."""

STATUS_SYMBOLS = ("▲", "▼", "○", "⚠", "–", "?", "×")
"""A symbol for each status of `STATUS_NAMES`, so that none is told by color alone."""


def apply_style() -> None:
    """Use dark text on the primary buttons of the dark theme, let the text of links go on in the
    next line, close the menu of a narrow screen after a choice, and print pages whole."""
    st.html(
        f"<style>{WRAPPED_LINKS} {BUTTONS} {CAPTION_LINKS} {HIDDEN_SCRIPT} "
        f"{ZONES} {printing.STYLE}</style>"
    )
    for script in (compat.CLOSE_MENU, printing.SCRIPT):
        st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


def choose_store(
    stores: Stores, label: str = "Store", *, key: str = "store", otherwise: str = ""
) -> str | None:
    """Let the user choose a store, and return its id, or None. The page's address keeps it under
    the key ``store``. ``otherwise`` says what it means to choose none.

    A browser would take a second to build a list of many stores. With more than `MOST_OFFERED`, the
    user types a part of a name or id and chooses among the stores that have it.
    """
    options, hint = stores.ids, "Choose a store, or type a part of its name or id"
    if len(stores.ids) > MOST_OFFERED:
        options, hint = [], "Type a store's name or id, or a part of it, and press Enter"
    typed = st.selectbox(
        label,
        options,
        index=None,
        format_func=stores.label,
        placeholder=f"{otherwise}. {hint}" if otherwise else hint,
        accept_new_options=True,
        filter_mode="contains",
        key=key,
        bind="query-params" if key == "store" else None,
    )
    if not typed:
        return None
    if chosen := _find_store(stores, typed):
        return chosen
    found = np.flatnonzero(mask_matches(stores, typed)).tolist()
    shown = escape_markdown(typed[:64])
    if not typed.strip() or not found:
        st.error(
            f"There is no store “{shown}”, and no store has it in its name or id. Type another.",
            icon=":material/error:",
        )
        return None
    st.markdown(
        f"**{len(found):,}** store{' has' if len(found) == 1 else 's have'} “{shown}” in the "
        f"{'name or id' if stores.names else 'id'}"
        + (f"; the first {MOST_FOUND} of them:" if len(found) > MOST_FOUND else ":")
    )
    with st.container(horizontal=True, key="found" if key == "store" else f"found_{key}"):
        for store_id in (stores.ids[n] for n in found[:MOST_FOUND]):
            st.button(
                escape_markdown(stores.label(store_id)),
                key=f"found_{store_id}" if key == "store" else f"found_{key}_{store_id}",
                on_click=_choose_store,
                args=[key, store_id],
            )
    return None


def choose_stores(label: str, ids: list[str], stores: Stores, *, key: str) -> list[str]:
    """Let the user choose several of some stores, and return what was chosen or typed, for
    `find_stores`. With more than `MOST_OFFERED` the user types names or ids."""
    many, hint = len(ids) > MOST_OFFERED, "Choose stores, or type a part of a name or id"
    if many:
        hint = "Type a store's name or id, and press Enter"
    return st.multiselect(
        label,
        [] if many else ids,
        format_func=stores.label,
        key=key,
        placeholder=hint,
        accept_new_options=many,
    )


def find_stores(stores: Stores, texts: Iterable[str]) -> list[str]:
    """Return the stores that ids, names or parts of them stand for, each the only one that has it.
    Raises BadRequest if there is none, or more than one."""
    found = []
    for text in texts:
        chosen = _find_store(stores, text)
        if chosen is None:
            places = np.flatnonzero(mask_matches(stores, text)).tolist() if text.strip() else []
            if len(places) != 1:
                many = f"{len(places):,} stores have" if places else "There is no store with"
                raise BadRequest(f"{many} “{text[:64]}” in the name or id.", "Type the store's id.")
            chosen = stores.ids[places[0]]
        found.append(chosen)
    return list(dict.fromkeys(found))


def _find_store(stores: Stores, text: str) -> str | None:
    """Return the store that an address or a box names, by its id or with its name before it. A
    name may have changed since, and the id counts."""
    written = re.search(r"\(([^()]+)\)$", text)
    for store_id in (text, written[1] if written else None):
        if store_id in stores.places:
            return store_id
    return None


def mask_matches(stores: Stores, part: str) -> NDArray[np.bool_]:
    """Return which stores have the text in their name or id (bool, one a store), ignoring case
    and outer spaces."""
    labels = pd.Series(stores.labels if stores.names else stores.ids, dtype="str")
    return labels.str.contains(part.strip(), case=False, regex=False).to_numpy(bool)


def _choose_store(key: str, store_id: str) -> None:
    st.session_state[key] = store_id


def link_to_stores(label: str, parameters: dict[str, str]) -> None:
    """Link to the table of stores with these filters."""
    link_to("stores", label, icon=":material/list:", query_params=parameters)


def link_to_each_store(
    described: Iterable[tuple[str, str, str]], names: Mapping[str, str], symbol: str = ""
) -> None:
    """Link to the page of each store. ``described`` holds (store id, Markdown text, what is shown
    over it); the ``symbol`` stands before each."""
    for store_id, text, over in described:
        label = store_label(store_id, names.get(store_id))
        link_to(
            "store",
            f"{symbol} **{escape_markdown(label)}** {text}".strip(),
            icon=None if symbol else ":material/storefront:",
            query_params={"store": store_id},
            help=over or None,
        )


def describe_status(found: Fleet, n: int) -> str:
    """Return the current status of store ``n`` as a symbol and its name."""
    code = int(found.status_now[n])
    return f"{STATUS_SYMBOLS[code]} {STATUS_NAMES[code]}"


def store_urls(store_ids: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Return the address of each store's page. It begins with the name, by which a table sorts
    and which `store_link_column` shows; the store's page takes it out (`drop_name`)."""
    urls = []
    for store_id in store_ids:
        name = names.get(store_id)
        called = f"{CALLED}={quote(store_label(store_id, name), safe='')}&" if name else ""
        urls.append(f"/store?{called}store={quote(store_id, safe=':')}")
    return urls


def drop_name() -> None:
    """Take the name out of the address, which would stay when another store is chosen."""
    st.query_params.pop(CALLED, None)


def store_link_column(title: str = "Store") -> Any:
    """Return the config of a column of `store_urls`. It shows names and ids as links.

    It is not pinned: a long name would cover all other columns on a phone.
    """
    return st.column_config.LinkColumn(title, display_text=rf"(?:{CALLED}|store)=([^&]*)")


def show_download(
    label: str, make: Callable[[], bytes], name: str, kind: str = "text/csv", **options: Any
) -> None:
    """Show a button that downloads a file of a name and a type, which is made when the button is
    pressed. ``make`` runs in another thread."""
    st.download_button(
        label,
        compat.make_on_click(make, kind, name),
        name,
        kind,
        icon=":material/download:",
        on_click="ignore",
        **options,
    )


def is_phone() -> bool:
    """Return whether the visitor's browser is a phone's. There, a chart whose points can be
    selected would not let a finger scroll the page; a tap shows what is over a point anyway."""
    return PHONE in (st.context.headers.get("User-Agent") or "")


def show_chart(figure: Any, description: str, **options: Any) -> Any:
    """Show a Plotly figure without its toolbar. ``description`` is for screen readers."""
    config = {"displayModeBar": False, "scrollZoom": False}
    return st.plotly_chart(figure, config=config, alt=description, **options)
