"""A finding as the texts and figures of a document on paper."""

from dataclasses import replace
from typing import Any

import numpy as np

from restmon.charts.colors import SEEN_ENOUGH
from restmon.charts.paper import Bars, Size, draw_down_bars
from restmon.core.formatting import Style, duration, moment, money
from restmon.core.instants import HOUR
from restmon.documents.finding import Finding
from restmon.documents.texts import (
    as_of_text,
    assumptions,
    compare_down,
    compare_uptime,
    count,
    label,
    method_text,
    percent,
    plain,
    short_moment,
)
from restmon.reporting.details_table import COLUMNS

MOST_OUTAGES = 250
MOST_INCIDENTS = 12
MOST_STORES = 1_000
"""A longer table is no document any more; the workbook has all stores."""
MOST_OF_STORE = 5
TWICE_AN_HOUR = 2 * HOUR
WIDTH = 520
TALL, FLAT = 132, 62
"""The height of a chart, and of one without any downtime."""
STORE_HEIGHT = 104


def describe(found: Finding, style: Style) -> dict[str, Any]:
    """Return all texts and figures of a document, by name, in the form that the template takes."""
    single = found.details.scope.store is not None
    span = found.period.span(found.as_of, found.zone, replace(style, this_year=None))
    outages, left_out = _outages(found, style)
    return {
        "title": label(found.title, 120),
        "subtitle": found.period.name,
        "span": span if span != found.period.name else "",
        "about": _about(found),
        "single": single,
        "headline": _headline(found, style),
        "caution": _caution(found),
        "empty": not found.totals.has_data,
        "tiles": _tiles(found, style),
        "chart": _chart(found, None),
        "pale": _has_pale(found),
        "worst": [] if single else [_worst(found, place, style) for place in found.worst],
        "incidents": _incidents(found, style),
        "incidents_left_out": max(len(found.incident_rows) - MOST_INCIDENTS, 0),
        "outages": outages,
        "outages_left_out": left_out,
        "stores": [] if single else _stores(found),
        "stores_left_out": max(found.count - MOST_STORES, 0),
        "each": _each(found, style) if found.each_store and not single else [],
        "footer": describe_footer(found, style),
    }


def describe_footer(found: Finding, style: Style) -> dict[str, str]:
    """Return what is said of the numbers on each page: the window, the instant, the method, and
    what was assumed."""
    dated = replace(style, this_year=None)
    span = found.period.span(found.as_of, found.zone, dated)
    of_dates = f"{span}, each store's own dates and business hours"
    return {
        "window": of_dates if found.period.first else f"{found.period.name}, business hours",
        "method": method_text(found.details.method),
        "assumed": assumptions(found),
        "as_of": as_of_text(found, dated),
    }


def _about(found: Finding) -> str:
    scope = found.details.scope
    if scope.store is not None:
        return f"Store {label(scope.store)}"
    return count(found.count, "store")


def _headline(found: Finding, style: Style) -> str:
    """The one sentence that matters most."""
    now = found.totals
    if not found.count:
        return "There is no store in this group."
    if not now.has_data:
        if not now.open:
            return "No business hours in this period."
        return "Nothing is known about this period: no poll shows whether the stores were online."
    if not now.covered:
        return "Nothing was seen in this period."
    if not now.down:
        who = "The store was" if found.count == 1 else "All observed stores were"
        return f"{who} online throughout business hours."
    uptime = percent(now.up, now.up + now.down)
    text = f"Online {uptime} of business hours, offline {duration(now.down)}"
    if now.lost:
        text += f", about {money(now.lost, style)} in lost sales"
    return f"{text}."


def _caution(found: Finding) -> str:
    """What to know where little was seen; "" where enough was."""
    now = found.totals
    if not now.has_data or now.coverage >= SEEN_ENOUGH:
        return ""
    if not now.covered:
        return (
            "No poll was near any open time. The numbers below are carried over from the polls "
            "before and after the period."
        )
    return (
        f"Only {percent(now.covered, now.open)} of the open time was near a poll. The rest is "
        "carried over from the nearest polls."
    )


def _tiles(found: Finding, style: Style) -> list[dict[str, str]]:
    now, before, name = found.totals, found.before, found.period.before_name
    m = found.details.measures
    struck = int((m.outages > 0).sum())
    longest = int(m.longest.max(initial=0))
    outage_note = "none"
    if now.outages:
        where = f"in {struck:,} of {count(found.count, 'store')}, " if found.count > 1 else ""
        outage_note = f"{where}longest {duration(longest)}"
    elif now.has_data:
        outage_note = "none in business hours"
    return [
        _tile(
            "Uptime", percent(now.up, now.up + now.down), compare_uptime(now, before, name), "main"
        ),
        _tile(
            "Downtime",
            duration(now.down) if now.has_data else "–",
            compare_down(now, before, name) if now.has_data else "",
        ),
        _tile("Outages", f"{now.outages:,}" if now.has_data else "–", outage_note),
        _target(found),
        _lost(found, style),
        _coverage(found),
    ]


def _tile(name: str, value: str, note: str, kind: str = "") -> dict[str, str]:
    return {"name": name, "value": value, "note": note, "kind": kind}


def _target(found: Finding) -> dict[str, str]:
    if found.targets is None:
        return _tile("Target", "–", "no target is set")
    low, high = found.targets
    value = f"{low:g}%" if low == high else f"{low:g}–{high:g}%"
    if not found.judged:
        return _tile("Target", value, "nothing to compare")
    if found.count == 1:
        return _tile("Target", value, "missed" if found.below else "met", _kind(found))
    note = (
        f"missed by {found.below:,} of {count(found.judged, 'store')}"
        if found.below
        else f"met by all {count(found.judged, 'store')}"
        if found.judged > 1
        else "met"
    )
    return _tile("Target", value, note, _kind(found))


def _kind(found: Finding) -> str:
    return "bad" if found.below else "good"


def _lost(found: Finding, style: Style) -> dict[str, str]:
    now = found.totals
    if now.lost is None or not now.has_data:
        return _tile("Lost sales (estimate)", "–", "no sales figures")
    note = "downtime times usual sales"
    if now.no_estimate:
        note = f"without {count(now.no_estimate, 'store')} of unknown sales"
    return _tile("Lost sales (estimate)", money(now.lost, style), note)


def _coverage(found: Finding) -> dict[str, str]:
    now = found.totals
    note = "of open time was near a poll"
    if now.never_seen and found.count > 1:
        note += f"; {count(now.never_seen, 'store')} never seen"
    return _tile("Coverage", percent(now.covered, now.open), note)


def _chart(found: Finding, place: int | None) -> str:
    """The chart of all stores, or of the one at a place; "" without any."""
    daily = found.daily
    if daily is None or len(daily.days) < 2:
        return ""

    def hours(values: Any) -> Any:
        one = values.sum(axis=0) if place is None else values[place]
        return one / TWICE_AN_HOUR

    open_, up, down, seen = map(hours, (daily.open, daily.up, daily.down, daily.covered))
    if not open_.any():
        return ""
    tall = (TALL if down.any() else FLAT) if place is None else STORE_HEIGHT
    return draw_down_bars(Bars(daily.days.tolist(), open_, up, down, seen), Size(WIDTH, tall))


def _has_pale(found: Finding) -> bool:
    """Whether a day of the chart was not seen."""
    daily = found.daily
    if daily is None:
        return False
    return bool(((daily.open.sum(axis=0) > 0) & (daily.covered.sum(axis=0) == 0)).any())


def _name(found: Finding, place: int) -> dict[str, str]:
    store_id = found.details.stores.ids[place]
    name = found.details.names[place]
    return {"name": label(name or store_id), "id": label(store_id) if name else ""}


def _worst(found: Finding, place: int, style: Style) -> dict[str, Any]:
    m = found.details.measures
    up, down, lost = int(m.up[place]), int(m.down[place]), float(m.lost_sales[place])
    most = int(m.down[found.worst[0]])
    return {
        **_name(found, place),
        "uptime": percent(up, up + down),
        "down": duration(down),
        "share": down / most,
        "outages": f"{int(m.outages[place]):,}",
        "longest": duration(int(m.longest[place])),
        "lost": money(lost, style),
    }


def _incidents(found: Finding, style: Style) -> list[dict[str, str]]:
    rows = []
    events = found.incidents.incidents
    for n, row in enumerate(found.incident_rows[:MOST_INCIDENTS]):
        start, end = int(events.start[n]), int(events.end[n])
        _, _, _, stores, most, share, _, zones, _ = row
        rows.append(
            {
                "start": moment(start, found.zone, style),
                "length": duration(2 * (end - start)),
                "stores": f"{stores:,}",
                "most": f"{most:,} ({share:.0f}%)",
                "lost": duration(int(found.incidents.lost[n])),
                "zones": label(", ".join(zones[:2])),
            }
        )
    return rows


def _outages(found: Finding, style: Style) -> tuple[list[dict[str, str]], int]:
    """The longest outages, and how many are left out."""
    outages = found.outages.outages
    order = np.lexsort((outages.start, -outages.open_time))[:MOST_OUTAGES]
    return [_outage(found, n, style) for n in order.tolist()], len(outages) - len(order)


def _outage(found: Finding, n: int, style: Style) -> dict[str, str]:
    outages, stores = found.outages.outages, found.outages.stores
    place = int(outages.store[n])
    zone = stores.zones[int(stores.zone_of_store[place])]
    store_id, name = stores.ids[place], found.outages.names[place]
    ongoing = bool(outages.ongoing[n])
    return {
        "name": label(name or store_id),
        "id": label(store_id) if name else "",
        "start": short_moment(int(outages.start[n]), zone, style),
        "end": "ongoing" if ongoing else short_moment(int(outages.end[n]), zone, style),
        "length": duration(int(outages.open_time[n])),
        "cause": label(outages.cause[n] or "unknown", 60),
        "incident": "yes" if outages.incident[n] > 0 else "",
    }


def _stores(found: Finding) -> list[dict[str, Any]]:
    """A row of every store, or of those with the most downtime, with the numbers of the
    details."""
    columns = list(COLUMNS)
    rows = []
    places = range(found.count)
    if found.count > MOST_STORES:
        places = np.argsort(-found.details.measures.down, kind="stable")[:MOST_STORES].tolist()
    for place in places:
        row = found.table.rows[place]
        cell: dict[str, Any] = dict(zip(columns, row, strict=True))
        target = cell["target"]
        below = target is not None and cell["uptime_percent"] is not None
        m = found.details.measures
        missed = below and int(m.up[place]) * 100 < target * int(m.up[place] + m.down[place])
        rows.append(
            {
                **_name(found, place),
                "uptime": plain(cell["uptime_percent"], "%"),
                "down": plain(cell["down"]),
                "open": plain(cell["open"]),
                "outages": f"{cell['outages']:,}",
                "coverage": plain(cell["coverage"], "%"),
                "target": "–" if target is None else f"{target:g}%",
                "missed": missed,
            }
        )
    return rows


def _each(found: Finding, style: Style) -> list[dict[str, Any]]:
    """Half a page of every store."""
    outages = found.outages.outages
    # Sorted by store, so one search finds the outages of each.
    edges = np.searchsorted(outages.store, np.arange(found.count + 1))
    m, stores = found.details.measures, found.details.stores
    result = []
    for place in range(found.count):
        mine = np.arange(edges[place], edges[place + 1])
        order = mine[np.lexsort((outages.start[mine], -outages.open_time[mine]))]
        up, down = int(m.up[place]), int(m.down[place])
        zone = stores.zones[int(stores.zone_of_store[place])]
        result.append(
            {
                **_name(found, place),
                "zone": zone,
                "uptime": percent(up, up + down),
                "down": duration(down) if up + down else "–",
                "open": duration(int(m.open[place])),
                "outages_count": f"{int(m.outages[place]):,}",
                "longest": duration(int(m.longest[place])) if m.outages[place] else "–",
                "coverage": percent(int(m.covered[place]), int(m.open[place])),
                "lost": money(float(m.lost_sales[place]), style),
                "chart": _chart(found, place) if down else "",
                "outages": [_outage(found, n, style) for n in order[:MOST_OF_STORE].tolist()],
                "left_out": max(len(order) - MOST_OF_STORE, 0),
            }
        )
    return result
