"""The items and answers of the routes of the live feed."""

from pydantic import BaseModel, ConfigDict

from restmon.api.models import Answer, Counts, Id


class Item(BaseModel):
    """An item of a live feed. Other names of a file's columns are known here too."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class PollItem(Item):
    """A poll."""

    store_id: str
    """The store's id."""
    timestamp_utc: str
    """When the store was polled, such as 2023-01-25T18:13:22Z."""
    status: str
    """active or inactive, or another word that a file may have."""
    reason: str = ""
    """Why, in at most 200 characters."""


class HoursItem(Item):
    """A line of business hours. All lines of a store in a request replace what it had."""

    store_id: str
    """The store's id."""
    dayOfWeek: str
    """0 for Monday through 6 for Sunday, or the name of a day."""
    start_time_local: str
    """When it opens, on its own clock."""
    end_time_local: str
    """When it closes. Both times empty: closed on that day."""


class ZoneItem(Item):
    """The time zone of a store."""

    store_id: str
    """The store's id."""
    timezone_str: str
    """An IANA name, such as America/Chicago."""


class RejectedItem(Answer):
    """An item that was rejected, and why."""

    index: int
    """Its place among the items, from 0. Blank lines are no items."""
    column: str
    """The name that has a bad value. Empty if the whole item cannot be read."""
    value: str
    reason: str


class Taken(Counts):
    """What a request brought, in items. All of it is stored."""

    import_id: Id
    """The import that collects what the same key sends in an hour. It can be seen and undone as
    any other."""
    rejections: list[RejectedItem]
    """Every rejected item. The others were taken."""
