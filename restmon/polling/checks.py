"""Asks one address: is the store online, and if not, why."""

import asyncio
import random
import time
from dataclasses import dataclass

import httpx

from restmon.notify import safe_http
from restmon.notify.public_addresses import AddressRefused
from restmon.notify.safe_http import Answer, Limits, NotAnswered, fetch
from restmon.polling.addresses import StoreAddress
from restmon.storage.models import now

ANSWER_BYTES = 512 * 1024
MOST_REDIRECTS = 5
AGAIN_AFTER_SECONDS = 2.0
SUCCESS = range(200, 300)
REDIRECTS = {301, 302, 303, 307, 308}


@dataclass(frozen=True)
class Finding:
    """What an address answered. ``at`` is the instant (microseconds). ``is_active`` is None if it
    may not be asked: then nothing is known. ``is_unreachable``: there was no answer at all, so that
    the fault may be on this side."""

    store_id: str
    at: int
    is_active: bool | None
    reason: str = ""
    is_unreachable: bool = False


async def check(client: httpx.AsyncClient, address: StoreAddress, seconds: float) -> Finding:
    """Ask an address, and a second time, a few seconds later, before it says inactive."""
    found = await _ask(client, address, seconds)
    if found.is_active is False:
        await asyncio.sleep(AGAIN_AFTER_SECONDS * random.uniform(1, 2))  # noqa: S311  # nosec B311
        found = await _ask(client, address, seconds)
    return found


async def _ask(client: httpx.AsyncClient, address: StoreAddress, seconds: float) -> Finding:
    try:
        answer = await _follow(client, address, time.monotonic() + seconds)
    except AddressRefused as error:
        return Finding(address.store_id, now(), None, error.message)
    except NotAnswered as error:
        reason = {
            safe_http.NAME: "name not found",
            safe_http.CONNECTION: "no connection",
            safe_http.CERTIFICATE: "certificate not valid",
            safe_http.TIME: f"timed out after {seconds:g} s",
        }.get(error.kind, "no proper HTTP answer")
        lost = error.kind in {safe_http.NAME, safe_http.CONNECTION, safe_http.TIME}
        return Finding(address.store_id, now(), False, reason, lost)
    reason = _find_fault(address, answer)
    return Finding(address.store_id, now(), not reason, reason)


async def _follow(client: httpx.AsyncClient, address: StoreAddress, end: float) -> Answer:
    """The answer at the end of redirects, each of which is checked like the first address."""
    url = address.url
    wanted = address.expected_status
    for _ in range(MOST_REDIRECTS + 1):
        left = max(0.001, end - time.monotonic())
        answer = await fetch(client, "GET", url, limits=Limits(left, ANSWER_BYTES))
        place = answer.headers.get("location")
        if answer.status not in REDIRECTS or answer.status == wanted or not place:
            return answer
        try:
            url = str(httpx.URL(url).join(place))
        except (httpx.InvalidURL, ValueError):
            return answer
    return answer


def _find_fault(address: StoreAddress, answer: Answer) -> str:
    """What is not as expected, in a few words; "" if nothing."""
    wanted = address.expected_status
    if wanted is not None:
        return "" if answer.status == wanted else f"HTTP {answer.status} instead of {wanted}"
    if answer.status in REDIRECTS:
        return f"more than {MOST_REDIRECTS} redirects"
    if answer.status not in SUCCESS:
        return f"HTTP {answer.status}"
    text = answer.body.decode("utf-8", "replace")
    if address.expect and address.expect.casefold() not in text.casefold():
        return f"the text '{address.expect}' is missing"
    return ""
