"""The routes of the live feed: items that are stored when the request is answered."""

from dataclasses import asdict

import bottle

from jobs import tasks
from restmon.access.roles import Role
from restmon.api.answers import answer
from restmon.api.application import Application
from restmon.api.feed_models import HoursItem, Item, PollItem, RejectedItem, Taken, ZoneItem
from restmon.api.item_bodies import read_items
from restmon.api.operations import Operation
from restmon.api.requests import actor
from restmon.ingest import live_feed
from restmon.ingest.headers import BUSINESS_HOURS, POLLS, TIMEZONES

routes = Application()


def _operation(name: str, items: type[Item]) -> Operation:
    return Operation(
        name,
        main="POST",
        takes_items=items,
        gives={200: [Taken]},
        errors=(400, 422),
        texts={200: "Stored, all but the rejected items."},
    )


def _take(kind: str) -> bottle.HTTPResponse:
    taken = live_feed.take(kind, read_items(), actor())
    if taken.revision is not None:
        tasks.announce_live_changes()
    rejections = [
        RejectedItem(index=one.line, column=one.column, value=one.value, reason=one.reason)
        for one in taken.rejections
    ]
    counts = asdict(taken.counts)
    return answer(Taken(import_id=taken.import_id or "", rejections=rejections, **counts))


@routes.post("/polls", needs=Role.FEED, operation=_operation("post_polls", PollItem))
def post_polls() -> bottle.HTTPResponse:
    """Store polls, at most 10,000 in a request.

    A poll is identified by store and timestamp: a later one replaces it, so a request may be sent
    again.
    """
    return _take(POLLS)


@routes.post(
    "/business_hours", needs=Role.FEED, operation=_operation("post_business_hours", HoursItem)
)
def post_business_hours() -> bottle.HTTPResponse:
    """Store business hours, at most 10,000 lines in a request.

    They replace all hours of the stores they name. A store with a rejected line keeps what it had.
    """
    return _take(BUSINESS_HOURS)


@routes.post("/timezones", needs=Role.FEED, operation=_operation("post_timezones", ZoneItem))
def post_timezones() -> bottle.HTTPResponse:
    """Store time zones, at most 10,000 in a request."""
    return _take(TIMEZONES)
