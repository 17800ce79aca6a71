"""The events that webhooks get, as JSON has them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np

from restmon.core.instants import MINUTE, as_datetime
from restmon.notify import decide
from restmon.notify.alert_facts import Watched
from restmon.notify.channels import CLOSED, OPENED
from restmon.notify.decide import Message
from restmon.reporting.outage_list import OutageArrays
from restmon.settings import get_settings

TWICE_A_MINUTE = 2 * MINUTE


def describe_event(
    watched: Watched, ended: Mapping[int, OutageArrays], message: Message
) -> dict[str, Any]:
    """The event of an outage that began or ended. ``ended`` has the last outage of each store (row
    id) that is back up."""
    row = message.keys[0][0]
    n = watched.outage.get(row)
    store_id = watched.fleet.ids[watched.place[row]]
    known: dict[str, Any] = {
        "event": CLOSED if message.kind == decide.OVER else OPENED,
        "as_of": _iso(watched.fleet.as_of),
        "store_id": store_id,
        "name": watched.fleet.stores.names.get(store_id),
        "url": f"{get_settings().link_url}/store?store={quote(store_id, safe=':')}",
    }
    if message.kind == decide.OVER:
        found = ended.get(row)
        if found is not None:
            known |= {
                "start": _iso(int(found.start[0])),
                "end": _iso(int(found.end[0])),
                **_figures(int(found.open_time[0]), found.cause[0], float(found.lost[0])),
            }
    elif n is not None:
        found_now = watched.attention
        known |= {
            "start": _iso(int(found_now.since[n])),
            "end": None,
            **_figures(int(found_now.down_for[n]), found_now.cause[n], float(found_now.lost[n])),
        }
    return known


def _figures(open_time: int, cause: Any, lost: float) -> dict[str, Any]:
    return {
        "minutes": round(open_time / TWICE_A_MINUTE, 2),
        "cause": cause,
        "lost_sales": round(lost, 2) if np.isfinite(lost) else None,
    }


def _iso(instant: int) -> str:
    return as_datetime(instant).isoformat().replace("+00:00", "Z")
