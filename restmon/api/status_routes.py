"""The routes of public status pages, which ask for no key, and those that turn them on and off."""

import hashlib
import json
import time

import bottle

from restmon.access.roles import Role
from restmon.api.answers import JSON_TYPE, answer
from restmon.api.application import Application
from restmon.api.limits import PublicRates
from restmon.api.operations import Operation
from restmon.api.requests import actor, client, header, origin
from restmon.api.status_models import (
    GetBadge,
    GetStatus,
    OfGroup,
    PublicState,
    StatusPageEntry,
    StatusPageList,
    StatusPageOff,
    TurnOn,
)
from restmon.documents import status_pages
from restmon.documents.public_status import FRESH_SECONDS, PublicStatus, StatusCache
from restmon.documents.status_pages import ShownStatusPage
from restmon.errors import NotFound
from restmon.reporting.style import read_style
from restmon.settings import get_settings
from restmon.storage.models import now

HTML_TYPE, SVG_TYPE = "text/html; charset=utf-8", "image/svg+xml; charset=utf-8"
NO_PAGE = "There is no status page at this address."

routes = Application()
rates = PublicRates(time.monotonic)
cache = StatusCache()


def _find(slug: str) -> tuple[ShownStatusPage, PublicStatus]:
    """The page of an address, and its status. Raises NotFound, TooManyRequests."""
    rates.take(client().address, get_settings().public_requests_per_minute)
    page = status_pages.find_status_page(slug)
    if page is None:
        raise NotFound(NO_PAGE)
    return page, cache.get(page)


def _public(content: str, kind: str, policy: str) -> bottle.HTTPResponse:
    """An answer that caches may keep for half a minute, or 304 if the client has it."""
    body = content.encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "Content-Type": kind,
        "Cache-Control": f"public, max-age={FRESH_SECONDS}",
        "ETag": tag,
        "Content-Security-Policy": policy,
        "Referrer-Policy": "no-referrer",
        "Access-Control-Allow-Origin": "*",
    }
    known = {one.strip().removeprefix("W/") for one in header("If-None-Match").split(",")}
    if tag in known or "*" in known:
        return bottle.HTTPResponse("", 304, headers)
    return bottle.HTTPResponse(body, 200, headers)


@routes.get(
    "/status/<slug>.json",
    needs=None,
    operation=Operation(
        "get_status_json", takes=GetStatus, gives={200: [PublicState]}, errors=(404,)
    ),
)
def get_status_json(asked: GetStatus) -> bottle.HTTPResponse:
    """Get the public status of a group as JSON. No key is needed.

    The group's status page must be on. The answer may be half a minute old.
    """
    page, status = _find(asked.slug)
    state = PublicState.model_validate(status.as_json(page.show_ids))
    return _public(json.dumps(state.content()), JSON_TYPE, "default-src 'none'")


@routes.get(
    "/status/<slug>",
    needs=None,
    operation=Operation(
        "get_status_page",
        takes=GetStatus,
        gives={200: ["text/html"], 404: ["text/html"]},
        texts={404: "There is no such page: a page that says so."},
    ),
)
def get_status_page(asked: GetStatus) -> bottle.HTTPResponse:
    """Get the public status page of a group, for people. No key is needed."""
    from restmon.documents import status_html  # noqa: PLC0415 - only these pages need it

    try:
        _, status = _find(asked.slug)
    except NotFound:
        missing = _public(status_html.write_missing(), HTML_TYPE, status_html.POLICY)
        missing.status = 404
        return missing
    text = status_html.write_page(status, now(), read_style())
    return _public(text, HTML_TYPE, status_html.POLICY)


@routes.get(
    "/badge/<slug>.svg",
    needs=None,
    operation=Operation("get_badge", takes=GetBadge, gives={200: ["image/svg+xml"]}, errors=(404,)),
)
def get_badge(asked: GetBadge) -> bottle.HTTPResponse:
    """Get the badge of a public status page as SVG. No key is needed."""
    from restmon.documents import status_html  # noqa: PLC0415 - only these pages need it

    _, status = _find(asked.slug)
    text = status_html.write_badge(status, now(), asked.show)
    return _public(text, SVG_TYPE, status_html.SVG_POLICY)


@routes.get(
    "/status_pages",
    needs=Role.VIEWER,
    operation=Operation("get_status_pages", gives={200: [StatusPageList]}),
)
def get_status_pages() -> bottle.HTTPResponse:
    """Get the public status pages that are on, of the groups that the key sees."""
    found = [_entry(page) for page in status_pages.list_status_pages(actor())]
    return answer(StatusPageList(status_pages=found))


@routes.put(
    "/status_pages",
    needs=Role.OWNER,
    operation=Operation(
        "turn_status_page_on",
        main="PUT",
        takes=TurnOn,
        gives={200: [StatusPageEntry]},
        errors=(404,),
    ),
)
def turn_status_page_on(asked: TurnOn) -> bottle.HTTPResponse:
    """Make a status page of a group that anybody can see who knows its address, or change it."""
    return answer(
        _entry(status_pages.turn_on(asked.group, asked.slug, asked.show_ids, actor=actor()))
    )


@routes.delete(
    "/status_pages",
    needs=Role.OWNER,
    operation=Operation(
        "turn_status_page_off",
        main="DELETE",
        takes=OfGroup,
        gives={200: [StatusPageOff]},
        errors=(404,),
    ),
)
def turn_status_page_off(asked: OfGroup) -> bottle.HTTPResponse:
    """Turn the status page of a group off, at once."""
    was_on = status_pages.turn_off(asked.group, actor=actor())
    return answer(StatusPageOff(group=asked.group, was_on=was_on))


def _entry(page: ShownStatusPage) -> StatusPageEntry:
    return StatusPageEntry(
        group=page.group,
        slug=page.slug,
        show_ids=page.show_ids,
        status_url=f"{origin()}{page.path}",
        json_url=f"{origin()}{page.path}.json",
        badge_url=f"{origin()}{page.badge_path}",
    )
