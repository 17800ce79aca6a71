"""Tables as plain HTML: a row opens with one click, tap or Enter; on a phone a row is a card.

Streamlit's own table fetches 1.5 MB of scripts, opens links in another tab, and is a wide grid of
pixels on a phone, which screen readers cannot read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

import streamlit as st

STYLE = """
.rows {width: 100%; border-collapse: collapse; font-size: 0.9rem}
.rows caption {position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}
.rows th, .rows td {padding: 0.5rem 0.6rem; text-align: left; vertical-align: top;
  border: 0; border-bottom: 1px solid rgba(128, 142, 156, 0.35); font-weight: inherit}
.rows thead th {font-weight: 600; white-space: nowrap}
.rows .n {text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap}
.rows tbody tr {position: relative}
.rows tbody tr:hover {background: rgba(128, 142, 156, 0.14)}
.rows a {color: inherit; font-weight: 600; text-decoration: underline}
.rows th a::after {content: ""; position: absolute; inset: 0}
.rows td a {position: relative; z-index: 1; font-weight: inherit}
.rows tr:focus-within {outline: 2px solid currentColor; outline-offset: -2px}
@media (max-width: 700px) {
  .rows thead {position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}
  .rows, .rows tbody, .rows tr, .rows th, .rows td {display: block; width: auto}
  .rows tbody tr {border: 1px solid rgba(128, 142, 156, 0.45); border-radius: 0.5rem;
    margin-bottom: 0.6rem; padding: 0.3rem 0}
  .rows tbody th, .rows tbody td {border: 0; padding: 0.15rem 0.7rem}
  .rows tbody td, .rows tbody .n {display: flex; justify-content: space-between; gap: 1rem;
    text-align: right; white-space: normal}
  .rows tbody td:empty {display: none}
  .rows tbody td::before {content: attr(data-label); opacity: 0.8; text-align: left}
}
"""


@dataclass(frozen=True)
class Column:
    """The head of a column, and whether it holds numbers."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Cell:
    """The text of a cell, what is shown over it, and the address that it opens."""

    text: str
    hover: str = ""
    href: str = ""


def show_table(
    caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Cell | str]]
) -> None:
    """Show rows of cells, text as it is. The address of a row's first cell opens wherever the row
    is clicked. ``caption`` is for screen readers."""
    head = "".join(
        f'<th scope="col"{_class(column)}>{escape(column.title)}</th>' for column in columns
    )
    body = "".join(f"<tr>{_write_row(columns, row)}</tr>" for row in rows)
    st.html(
        f"<style>{STYLE}</style>"
        f'<table class="rows"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def store_address(label: str, **more: str) -> str:
    """Return the address of the page of a store, by its name and id as the page itself writes it.
    It would replace any other, and Back would lead to that one."""
    return f"/store?{urlencode({'store': label, **more}, safe=':')}"


def _write_row(columns: Sequence[Column], row: Sequence[Cell | str]) -> str:
    parts = []
    for n, (column, given) in enumerate(zip(columns, row, strict=True)):
        cell = given if isinstance(given, Cell) else Cell(given)
        text = escape(cell.text)
        if cell.hover:
            text = f'<span title="{escape(cell.hover)}">{text}</span>'
        if cell.href:
            text = f'<a href="{escape(cell.href)}">{text}</a>'
        label = f' data-label="{escape(column.title)}"'
        tag, scope = ("th", ' scope="row"') if not n else ("td", label)
        parts.append(f"<{tag}{scope}{_class(column)}>{text}</{tag}>")
    return "".join(parts)


def _class(column: Column) -> str:
    return ' class="n"' if column.numeric else ""
