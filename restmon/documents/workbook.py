"""A finding as a workbook for Excel: Summary, Stores, Outages, Incidents, About."""

import io
from collections.abc import Iterator
from typing import Any

from restmon.core.formatting import Style
from restmon.core.rounding import HUNDREDTH_OF_HOUR
from restmon.documents.finding import Finding, Totals
from restmon.documents.paper import describe_footer
from restmon.documents.texts import round_half_even
from restmon.errors import BadRequest
from restmon.reporting import incident_list, outage_list
from restmon.reporting.details_table import COLUMNS
from restmon.reporting.workbook import UNITS, open_workbook

MOST_ROWS = 1_000_000
"""A sheet of Excel has 1,048,576 lines."""


def make_document_workbook(found: Finding, style: Style) -> bytes:
    """The workbook of a finding. Raises BadRequest if it has too many outages for a sheet."""
    if len(found.outages.outages) > MOST_ROWS:
        raise BadRequest(
            f"There are {len(found.outages.outages):,} outages, too many for a sheet of Excel.",
            "Choose a group or a shorter window.",
        )
    outages = outage_list.make_rows(found.outages, found.outages.outages)
    out = io.BytesIO()
    with open_workbook(out) as book:
        book.add_texts("Summary", found.title[:200], _summary(found, style))
        book.add_table("Stores", COLUMNS, found.table.rows)
        book.add_table("Outages", outage_list.COLUMNS, outages)
        book.add_table("Incidents", incident_list.COLUMNS, found.incident_rows)
        about = [*describe_footer(found, style).items(), *found.table.about.items(), *UNITS]
        book.add_texts("About", "restmon: document", about)
    return out.getvalue()


def _summary(found: Finding, style: Style) -> Iterator[tuple[str, Any]]:
    now, before, name = found.totals, found.before, found.period.before_name
    footer = describe_footer(found, style)
    yield "Period", f"{found.period.name}: {footer['window']}"
    yield "As of", footer["as_of"].removeprefix("as of ")
    yield "Stores", now.stores
    yield "Stores that were never seen", now.never_seen
    yield "Uptime (per cent)", _percent(now.up, now.up + now.down)
    yield (
        f"Uptime, {name} (per cent)",
        _percent(before.up, before.up + before.down) if before.was_seen else "no data",
    )
    yield "Hours open", _hours(now.open)
    yield "Hours down", _hours(now.down)
    yield f"Hours down, {name}", _hours(before.down) if before.was_seen else "no data"
    yield "Outages", now.outages
    yield "Incidents", len(found.incident_rows)
    yield "Coverage (per cent)", _percent(now.covered, now.open)
    yield "Lost sales, estimate", _lost(now)
    yield "Stores without an estimate", now.no_estimate
    yield "Stores with a target", found.judged
    yield "Stores below their target", found.below
    for place in found.worst:
        store_id = found.details.stores.ids[place]
        title = found.details.names[place] or store_id
        yield (
            f"Most downtime: {title} ({store_id}), hours",
            _hours(int(found.details.measures.down[place])),
        )


def _lost(now: Totals) -> float | str:
    return "not known" if now.lost is None else round(now.lost, 2)


def _hours(half_microseconds: int) -> float:
    return round_half_even(half_microseconds, HUNDREDTH_OF_HOUR) / 100


def _percent(part: int, whole: int) -> float | str:
    return round_half_even(10_000 * part, whole) / 100 if whole else "not known"
