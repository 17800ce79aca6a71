"""The routes of stores and groups."""

import bottle

from restmon.access.roles import Role
from restmon.api import store_answers
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.operations import Operation
from restmon.api.parameters import read_cursor
from restmon.api.requests import actor
from restmon.api.store_models import (
    GetGroupUptime,
    GetStore,
    GetStores,
    GetStoreSpans,
    GetStoreUptime,
    GroupList,
    GroupUptime,
    Store,
    StoreList,
    StoreSpans,
    StoreUptime,
)
from restmon.reporting.answer_limits import check_length
from restmon.reporting.group_list import list_group_summaries, read_group_series
from restmon.reporting.scopes import find_scope
from restmon.reporting.store_list import StoreQuery, list_stores
from restmon.reporting.store_profile import read_profile
from restmon.reporting.store_timeline import read_window
from restmon.reporting.uptime_series import read_series

routes = Application()


@routes.get(
    "/stores",
    needs=Role.VIEWER,
    operation=Operation("get_stores", takes=GetStores, gives={200: [StoreList]}, errors=(404, 409)),
)
def get_stores(asked: GetStores) -> bottle.HTTPResponse:
    """Get the state of stores now and in their last 168 hours, a page at a time."""
    query = StoreQuery(
        asked.search,
        asked.group,
        asked.zone,
        asked.status,
        sort=asked.sort.removeprefix("-"),
        descending=asked.sort.startswith("-"),
        limit=asked.limit,
        after=read_cursor(asked.cursor, asked.sort) if asked.cursor else None,
    )
    return answer(store_answers.store_list(list_stores(query, actor()), asked.sort))


@routes.get(
    "/stores/<store_id>",
    needs=Role.VIEWER,
    operation=Operation("get_store", takes=GetStore, gives={200: [Store]}, errors=(404, 409)),
)
def get_store(asked: GetStore) -> bottle.HTTPResponse:
    """Get everything known about a store: its state now, its last 168 hours, its target."""
    return answer(store_answers.store(read_profile(asked.store_id, actor())))


@routes.get(
    "/stores/<store_id>/uptime",
    needs=Role.VIEWER,
    operation=Operation(
        "get_store_uptime", takes=GetStoreUptime, gives={200: [StoreUptime]}, errors=(404, 409)
    ),
)
def get_store_uptime(asked: GetStoreUptime) -> bottle.HTTPResponse:
    """Get the uptime of a store in a window, by hour, day, week or month."""
    scope = find_scope(actor(), store_id=asked.store_id)
    found = read_series(scope, asked.by, asked.window(), asked.as_of, asked.method)
    return answer(store_answers.store_uptime(asked.store_id, found))


@routes.get(
    "/stores/<store_id>/spans",
    needs=Role.VIEWER,
    operation=Operation(
        "get_store_spans", takes=GetStoreSpans, gives={200: [StoreSpans]}, errors=(404, 409)
    ),
)
def get_store_spans(asked: GetStoreSpans) -> bottle.HTTPResponse:
    """Get the timeline of a store in a window: when it was up and down, and which polls say so."""
    scope = find_scope(actor(), store_id=asked.store_id)
    found = read_window(scope, asked.window(), asked.as_of, asked.method)
    return answer(store_answers.store_spans(found))


@routes.get(
    "/groups",
    needs=Role.VIEWER,
    operation=Operation("get_groups", gives={200: [GroupList]}, errors=(409,)),
)
def get_groups() -> bottle.HTTPResponse:
    """Get the groups: how many of their stores are up now, and the sums of their last 24 hours."""
    return answer(store_answers.group_list(*list_group_summaries(actor())))


@routes.get(
    "/groups/<group:path>/uptime",
    needs=Role.VIEWER,
    operation=Operation(
        "get_group_uptime", takes=GetGroupUptime, gives={200: [GroupUptime]}, errors=(404, 409)
    ),
)
def get_group_uptime(asked: GetGroupUptime) -> bottle.HTTPResponse:
    """Get the uptime of a group's stores in a window, by hour, day, week or month.

    The window is at most as long as that of GET /outages.
    """
    scope = find_scope(actor(), group=asked.group)
    check_length(scope, asked.window(), asked.as_of)
    found = read_group_series(scope, asked.by, asked.window(), asked.as_of, asked.method)
    return answer(store_answers.group_uptime(found))
