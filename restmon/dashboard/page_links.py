"""The pages as Streamlit knows them, and links to them.

Streamlit looks for the file of a page whenever it is named, on the way through every folder above
it. A page is therefore looked for once in a process.
"""

from copy import copy
from functools import cache
from typing import Any

import streamlit as st

FIRST = "overview"


def make_page(name: str, title: str, *, shown: bool = True) -> Any:
    """Return the page of a file ``pages/NAME.py`` for `st.navigation`.

    A page's address is the name of its file, as AppTest requires.
    """
    return copy(_find(name, title, shown))  # navigation notes in it which page may run


def link_to(name: str, label: str, **options: Any) -> None:
    """Show a link to the page of a file ``pages/NAME.py``."""
    st.page_link(_find(name), label=label, **options)


@cache
def _find(name: str, title: str | None = None, shown: bool = True) -> Any:
    return st.Page(
        f"pages/{name}.py",
        title=title,
        default=name == FIRST,
        visibility="visible" if shown else "hidden",
    )
