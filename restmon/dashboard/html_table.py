"""Tables as plain HTML: a row opens with one click, tap or Enter; on a phone a row is a card.

Streamlit's own table fetches 1.5 MB of scripts, opens links in another tab, and is a wide grid of
pixels on a phone, which screen readers cannot read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

import streamlit as st

from restmon.charts.day_strip import SMALL_STYLE
from restmon.dashboard import clock

STYLE = """
.rows-box {overflow-x: auto}
.rows {width: 100%; border-collapse: collapse; font-size: 0.9rem}
.rows caption {position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}
.rows th, .rows td {padding: 0.5rem 0.6rem; text-align: left; vertical-align: top;
  border: 0; border-bottom: 1px solid rgba(128, 142, 156, 0.35); font-weight: inherit}
.rows thead th {font-weight: 600; vertical-align: bottom}
.rows .n {text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap}
.rows thead .n {white-space: normal}
.rows tbody tr {position: relative}
.rows tbody tr:hover {background: rgba(128, 142, 156, 0.14)}
.rows tr[aria-current] {background: rgba(128, 142, 156, 0.22)}
.rows a {color: inherit; font-weight: 600; text-decoration: underline}
.rows th a::after {content: ""; position: absolute; inset: 0}
.rows td a {position: relative; z-index: 1; font-weight: inherit}
.rows tr:focus-within {outline: 2px solid currentColor; outline-offset: -2px}
.rows small {opacity: 0.75; white-space: nowrap}
.rows td:not(.n) small {white-space: normal}
@media screen and (min-width: 1200px) {
  .rows:not(.compact) tbody th {min-width: 15rem}
  .rows:not(.compact) tbody td:last-child {white-space: nowrap}
}
@media screen and (max-width: 1199px) {
  .rows:not(.compact) th, .rows:not(.compact) td {padding: 0.5rem 0.4rem}
}
@media screen and (max-width: 700px) {
  .rows.compact {font-size: 0.85rem}
  .rows.compact th, .rows.compact td {padding: 0.4rem 0.25rem}
  .rows.compact small {white-space: normal}
}
@media screen and (max-width: 700px) {
  .rows:not(.compact) {
    &, tbody, tr, th, td {display: block; width: auto}
    thead {position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}
    tbody tr {border: 1px solid rgba(128, 142, 156, 0.45); border-radius: 0.5rem;
      margin-bottom: 0.6rem; padding: 0.3rem 0}
    tbody th, tbody td {border: 0; padding: 0.15rem 0.7rem}
    tbody td, tbody .n {display: flex; justify-content: space-between; gap: 1rem;
      text-align: right; white-space: normal}
    tbody td:empty {display: none}
    tbody td::before {content: attr(data-label); opacity: 0.8; text-align: left}
  }
}
"""


@dataclass(frozen=True)
class Column:
    """The head of a column, and whether it holds numbers."""

    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Cell:
    """The text of a cell, in lines, what is shown over it, the address that it opens, and what
    stands small ``below`` it. ``picture`` is HTML of our own that stands in its place."""

    text: str
    hover: str = ""
    href: str = ""
    below: str = ""
    picture: str = ""


def show_table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell | str]],
    *,
    compact: bool = False,
    current: int | None = None,
) -> None:
    """Show rows of cells, text as it is. The address of a row's first cell opens wherever the row
    is clicked. ``caption`` is for screen readers. A ``compact`` table, of few narrow columns, is a
    table on a phone too. ``current`` is the row whose details the page shows."""
    head = "".join(
        f'<th scope="col"{_class(column)}>{escape(column.title)}</th>' for column in columns
    )
    body = "".join(
        f"<tr{' aria-current=true' if n == current else ''}>{_write_row(columns, row)}</tr>"
        for n, row in enumerate(rows)
    )
    st.html(
        f"<style>{STYLE}{SMALL_STYLE}</style>"
        '<div class="rows-box">'
        f'<table class="rows{" compact" if compact else ""}"><caption>{escape(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def time_cell(instant: int | None, zone: str, otherwise: str = "–") -> Cell:
    """Return the cell of an instant: local time, with UTC over it."""
    if instant is None:
        return Cell(otherwise)
    return Cell(clock.moment(instant, zone), clock.moment(instant))


def store_address(label: str, **more: str) -> str:
    """Return the address of the page of a store, by its name and id as the page itself writes it.
    It would replace any other, and Back would lead to that one."""
    return f"/store?{urlencode({'store': label, **more}, safe=':')}"


def _write_row(columns: Sequence[Column], row: Sequence[Cell | str]) -> str:
    parts = []
    for n, (column, given) in enumerate(zip(columns, row, strict=True)):
        cell = given if isinstance(given, Cell) else Cell(given)
        text = cell.picture or escape(cell.text).replace("\n", "<br>")
        tag = "span"
        if cell.below:
            tag, text = "div", f"{text}<br><small>{escape(cell.below)}</small>"
        if cell.hover or cell.below:
            over = f' title="{escape(cell.hover)}"' if cell.hover else ""
            text = f"<{tag}{over}>{text}</{tag}>"
        if cell.href:
            text = f'<a href="{escape(cell.href)}">{text}</a>'
        label = f' data-label="{escape(column.title)}"'
        cell_tag, scope = ("th", ' scope="row"') if not n else ("td", label)
        parts.append(f"<{cell_tag}{scope}{_class(column)}>{text}</{cell_tag}>")
    return "".join(parts)


def _class(column: Column) -> str:
    return ' class="n"' if column.numeric else ""
