"""The models of documents, status pages and schedules. Units are those of `models`."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    SmallIntegerField,
    TextField,
)

from restmon.storage.models import AskedFor, BaseModel, Group, RowId, now


class Document(AskedFor):
    """A document that was requested.

    ``form`` is pdf, xlsx or csv, ``period`` names its window in words (`documents.periods`) on the
    calendar of ``zone`` (NULL: that of most stores), and ``scope`` names its group or store (NULL:
    all stores). ``as_of`` is NULL until the work begins if the request left it to the default.
    ``title`` is the name of its file, once it is complete.
    """

    form = CharField(max_length=8)
    paper = CharField(max_length=8)
    period = TextField()
    zone = TextField(null=True)
    scope = JSONField(null=True)
    each_store = BooleanField(default=False)
    as_of = BigIntegerField(null=True)
    method = CharField(max_length=16, default="nearest")
    title = TextField(null=True)
    stores = IntegerField(null=True)
    size = BigIntegerField(null=True)


class StatusPage(BaseModel):
    """The public status page of a group. A group without one has no row. ``show_ids``: it shows
    the ids of the stores too."""

    id = RowId()
    group = ForeignKeyField(Group, on_delete="CASCADE", unique=True)
    slug = CharField(max_length=64, unique=True)
    show_ids = BooleanField(default=False)
    created_at = BigIntegerField(default=now)


class Schedule(BaseModel):
    """A document that is made again and again: ``every`` day, week or month, at the wall-clock
    ``time`` of ``zone``, on ``day`` (0 = Monday … 6 = Sunday, or 1 … 31 of the month; NULL daily).

    ``actor`` made it, and it is limited to the stores of ``groups`` (row ids; NULL: all) and of
    ``group`` (NULL: no group in particular). ``channels`` are row ids. Instants after ``since``
    are due, unless it is ``paused``.
    """

    id = RowId()
    name = CharField(max_length=64)
    actor = TextField()
    groups = JSONField(null=True)
    group = ForeignKeyField(Group, on_delete="CASCADE", null=True)
    group_id: int | None
    every = CharField(max_length=8)
    day = SmallIntegerField(null=True)
    time = BigIntegerField()
    zone = CharField()
    form = CharField(max_length=8)
    paper = CharField(max_length=8)
    period = TextField()
    each_store = BooleanField(default=False)
    channels = JSONField(default=list)
    paused = BooleanField(default=False)
    since = BigIntegerField(default=now)
    created_at = BigIntegerField(default=now)


class ScheduleRun(BaseModel):
    """One run of a schedule: the instant at which it was due (by hand: at which it was asked for),
    its document, and when the document was put into the outbox, or why not (``note``)."""

    id = RowId()
    schedule = ForeignKeyField(Schedule, on_delete="CASCADE", index=False)
    schedule_id: int
    due_at = BigIntegerField()
    by_hand = BooleanField(default=False)
    document_id = CharField(max_length=32, null=True, index=True)
    delivered_at = BigIntegerField(null=True)
    note = TextField(null=True)

    class Meta:
        indexes = ((("schedule", "due_at"), True),)
