"""Small pieces that pages share."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from restmon.core.formatting import store_label
from restmon.core.status_now import STATUS_NAMES
from restmon.dashboard.messages import escape_markdown
from restmon.reporting.fleet import Fleet
from restmon.reporting.snapshot import Stores

DARK_BUTTONS = (
    "[data-testid^=stBaseButton-primary], [data-testid^=stBaseButton-primary] *"
    " {color: #0A131C !important}"
)

# Streamlit cuts off the text of a link at the edge of a phone's screen.
WRAPPED_LINKS = "[data-testid=stPageLink-NavLink] > span:last-child {white-space: normal}"

MOST_OFFERED = 500
"""With more stores than this, the browser does not get the list of all stores."""

MOST_FOUND = 20

CALLED = "called"
"""The parameter of a store's address that holds what a table shows of it."""

STATUS_SYMBOLS = ("▲", "▼", "○", "⚠", "–", "?", "×")
"""A symbol for each status of `STATUS_NAMES`, so that none is told by color alone."""


def apply_style() -> None:
    """Use dark text on the primary buttons of the dark theme, whose background is light; and let
    the text of links go on in the next line."""
    rules = [WRAPPED_LINKS, *([DARK_BUTTONS] if st.context.theme.type == "dark" else [])]
    st.html(f"<style>{' '.join(rules)}</style>")


def choose_store(stores: Stores) -> str | None:
    """Let the user choose a store, and return its id, or None. The page's address keeps it.

    A browser would take a second to build a list of many stores. With more than `MOST_OFFERED`, the
    user types a part of a name or id and chooses among the stores that have it.
    """
    options, hint = stores.ids, "Choose a store, or type a part of its name or id"
    if len(stores.ids) > MOST_OFFERED:
        options, hint = [], "Type a store's name or id, or a part of it, and press Enter"
    typed = st.selectbox(
        "Store",
        options,
        index=None,
        format_func=stores.label,
        placeholder=hint,
        accept_new_options=True,
        filter_mode="contains",
        key="store",
        bind="query-params",
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
    with st.container(horizontal=True, key="found"):
        for store_id in (stores.ids[n] for n in found[:MOST_FOUND]):
            st.button(
                escape_markdown(stores.label(store_id)),
                key=f"found_{store_id}",
                on_click=_choose_store,
                args=[store_id],
            )
    return None


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


def _choose_store(store_id: str) -> None:
    st.session_state["store"] = store_id


def link_to_stores(label: str, parameters: dict[str, str]) -> None:
    """Link to the table of stores with these filters."""
    st.page_link("pages/stores.py", label=label, icon=":material/list:", query_params=parameters)


def link_to_each_store(
    described: Iterable[tuple[str, str]], names: Mapping[str, str], symbol: str = ""
) -> None:
    """Link to the page of each store. ``described`` holds (store id, Markdown text) pairs; the
    ``symbol`` stands before each."""
    for store_id, text in described:
        label = store_label(store_id, names.get(store_id))
        st.page_link(
            "pages/store.py",
            label=f"{symbol} **{escape_markdown(label)}** {text}".strip(),
            icon=None if symbol else ":material/storefront:",
            query_params={"store": store_id},
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


def show_chart(figure: Any, description: str, **options: Any) -> Any:
    """Show a Plotly figure without its toolbar. ``description`` is for screen readers."""
    config = {"displayModeBar": False, "scrollZoom": False}
    return st.plotly_chart(figure, config=config, alt=description, **options)
