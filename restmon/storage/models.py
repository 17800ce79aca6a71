"""The Peewee models: what is stored, in which unit.

All instants are integers: microseconds since the Unix epoch, UTC. All wall-clock times are
integers: microseconds since local midnight.
"""

import secrets
import time
from typing import Self

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    Context,
    DatabaseProxy,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    NodeList,
    SmallIntegerField,
    SqliteDatabase,
    TextField,
)

from restmon.core.group_names import group_name, same_name
from restmon.errors import NotFound

database = DatabaseProxy()

RUNNING = "Running"
COMPLETE = "Complete"
FAILED = "Failed"


def now() -> int:
    """The current instant in microseconds since the epoch, UTC."""
    return time.time_ns() // 1000


def new_id() -> str:
    """A random id of 128 bits as 32 hexadecimal digits, safe in URLs and file names."""
    return secrets.token_hex(16)


class RowId(AutoField):
    """A row's number. No later row gets it again, also on SQLite, so a reference to a deleted row
    never finds another one."""

    def ddl(self, ctx: Context) -> NodeList:
        """The column's definition."""
        made = super().ddl(ctx)
        on_sqlite = isinstance(database.obj, SqliteDatabase)
        return NodeList((made, SQL("AUTOINCREMENT"))) if on_sqlite else made


class BaseModel(Model):
    class Meta:
        database = database
        legacy_table_names = False


class Store(BaseModel):
    """One restaurant, named in any of the three feeds.

    ``timezone`` is an IANA name, or NULL (then America/Chicago). ``demo`` marks demo data.
    ``hours_unreadable``: the store has no business hours because its lines could not be read, so it
    does not count as open 24×7.
    """

    id = RowId()
    store_id = CharField(max_length=64, unique=True)
    timezone = CharField(null=True)
    demo = BooleanField(default=False)
    hours_unreadable = BooleanField(default=False)


class PackedHours(BaseModel):
    """All lines of business hours of a store, packed (see `storage.packed_hours`). A store without
    any has no row."""

    store = ForeignKeyField(Store, on_delete="CASCADE", primary_key=True)
    lines = BlobField()


class BusinessHours(BaseModel):
    """One line of a business-hours file: ``day_of_week`` 0 = Monday … 6 = Sunday.

    A view of `PackedHours`, only to be read. ``start_time`` and ``end_time`` are both -1
    (`restmon.core.hours.CLOSED`) where the line says that the store is closed on that day.
    """

    store = ForeignKeyField(Store, backref="business_hours")
    day_of_week = SmallIntegerField()
    start_time = BigIntegerField()
    end_time = BigIntegerField()

    class Meta:
        primary_key = False


class Poll(BaseModel):
    """One poll: ``status`` 1 is active (online), 0 inactive.

    (store, timestamp) is unique. How polls lie on the disk is the engine's (see `sqlite`).
    """

    store = ForeignKeyField(Store, index=False)
    timestamp = BigIntegerField()
    status = SmallIntegerField()

    class Meta:
        primary_key = CompositeKey("store", "timestamp")
        without_rowid = True


class StoreDirectory(BaseModel):
    """What is known about a store besides its hours. A store of which nothing is known has no row.

    ``sales_per_hour`` is in the currency of the owner. No row of hours opens on a local date
    before ``opened_on``, or on or after ``closed_on``. Both are days since 1970-01-01.
    """

    store = ForeignKeyField(Store, on_delete="CASCADE", primary_key=True)
    name = TextField(null=True)
    address = TextField(null=True)
    sales_per_hour = DoubleField(null=True)
    opened_on = IntegerField(null=True)
    closed_on = IntegerField(null=True)


class HourlySales(BaseModel):
    """The usual sales of a store in one hour of the week: ``day_of_week`` 0 = Monday … 6 =
    Sunday, ``hour`` 0 … 23 on the store's clock."""

    store = ForeignKeyField(Store, on_delete="CASCADE", index=False)
    day_of_week = SmallIntegerField()
    hour = SmallIntegerField()
    sales = DoubleField()

    class Meta:
        primary_key = CompositeKey("store", "day_of_week", "hour")


class PollReason(BaseModel):
    """The reason that a poll gave for its status. A poll without a reason has no row."""

    store = ForeignKeyField(Store, on_delete="CASCADE", index=False)
    timestamp = BigIntegerField()
    reason = TextField()

    class Meta:
        primary_key = CompositeKey("store", "timestamp")


class Group(BaseModel):
    """A group of stores: a brand, an owner, a city. A store may be in several.

    Pages show ``name``; ``same_name`` is the form in which names are compared (`core.group_names`).
    The id stays when the name changes, so other rows can refer to it.
    """

    id = RowId()
    name = CharField(max_length=64)
    same_name = TextField(unique=True)

    class Meta:
        table_name = "store_group"

    @classmethod
    def named(cls, name: str) -> Self:
        """The group of a name in any case. Raises NotFound. The caller holds a connection."""
        group = cls.get_or_none(cls.same_name == same_name(group_name(name) or ""))
        if group is None:
            raise NotFound(f"There is no group {name[:64]!r}.", "Make it, or import a groups file.")
        return group


class GroupMember(BaseModel):
    """A store that is in a group."""

    group = ForeignKeyField(Group, on_delete="CASCADE", index=False)
    store = ForeignKeyField(Store, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("group", "store")


class OtherHours(BaseModel):
    """A row of other hours on a local ``date`` (days since 1970-01-01), of a store or of a group.

    They replace the weekly hours on that date. ``start_time`` and ``end_time`` are both NULL
    where it is closed.
    """

    id = RowId()
    store = ForeignKeyField(Store, on_delete="CASCADE", null=True)
    group = ForeignKeyField(Group, on_delete="CASCADE", null=True)
    date = IntegerField()
    start_time = BigIntegerField(null=True)
    end_time = BigIntegerField(null=True)
    note = TextField(null=True)


class Target(BaseModel):
    """The uptime target of a store or of a group; of all stores if both are NULL. ``target`` is in
    millionths (`core.targets`)."""

    id = RowId()
    store = ForeignKeyField(Store, on_delete="CASCADE", null=True, unique=True)
    group = ForeignKeyField(Group, on_delete="CASCADE", null=True, unique=True)
    target = IntegerField()


class OutageNote(BaseModel):
    """What somebody (``actor``) wrote about the outage of a store that an instant ``at`` is part
    of: a ``cause`` from `restmon.stores.notes.CAUSES`, a ``text``, or both."""

    id = RowId()
    store = ForeignKeyField(Store, on_delete="CASCADE")
    at = BigIntegerField()
    cause = TextField(null=True)
    text = TextField()
    actor = TextField()
    written_at = BigIntegerField()
    changed_at = BigIntegerField(null=True)


class Revision(BaseModel):
    """One row for each transaction that changed what a report reads or a page shows.

    A cache at revision r becomes current by reading what the later rows name: the polls from the
    smallest ``polls_from`` on, and the stores, zones and hours if ``stores_changed``. ``rebuild``
    says that data were removed, so the cache reads everything anew. A row with none of the three is
    a change of groups, for which a cache reads nothing.
    """

    number = RowId()
    created_at = BigIntegerField(default=now)
    polls_from = BigIntegerField(null=True)
    stores_changed = BooleanField(default=False)
    rebuild = BooleanField(default=False)


class Job(BaseModel):
    """What reports and imports have in common: state, progress and the lease of the worker.

    ``status`` is Running, Complete or Failed. It is Running from the request on. A worker that
    takes the job writes its name into ``lease_owner`` and keeps ``lease_until`` ahead of the clock.
    Once that instant is past, the worker is gone and another may take the job.
    """

    id = CharField(max_length=32, primary_key=True, default=new_id)
    status = CharField(max_length=16, default=RUNNING, index=True)
    progress = DoubleField(default=0.0)
    attempts = IntegerField(default=0)
    error = TextField(null=True)
    requested_at = BigIntegerField(default=now)
    requested_by = CharField(max_length=16, default="api")
    started_at = BigIntegerField(null=True)
    finished_at = BigIntegerField(null=True)
    lease_owner = CharField(max_length=64, null=True)
    lease_until = BigIntegerField(null=True)
    demo = BooleanField(default=False)

    @classmethod
    def find(cls, job_id: str) -> Self | None:
        """The job of an id that came from outside, or None. The caller holds a connection."""
        if "\0" in job_id:  # PostgreSQL accepts it in no text
            return None
        return cls.get_or_none(cls.id == job_id)


class AskedFor(Job):
    """A job that somebody requested: ``actor`` is their name (see `roles.Actor`). ``groups`` are
    the row ids of the groups whose stores it is limited to (NULL: all stores)."""

    actor = TextField(default="")
    groups = JSONField(null=True)


class Report(AskedFor):
    """A report that was requested.

    ``as_of`` is NULL until the work begins if the request left it to the default (the newest poll).
    ``window`` has the requested window's words by name (NULL: the windows of the seven columns),
    and ``scope`` names its group or store (NULL: all stores). ``stores`` and ``size`` (bytes)
    describe the CSV, or with a window the details. ``rounds`` counts how often it was split into
    shards. ``data_revision`` is the state of the data that it was computed from.
    """

    as_of = BigIntegerField(null=True)
    method = CharField(max_length=16, default="nearest")
    stores = IntegerField(null=True)
    size = BigIntegerField(null=True)
    rounds = IntegerField(default=0)
    window = JSONField(null=True)
    scope = JSONField(null=True)
    data_revision = IntegerField(null=True)


class Shard(Job):
    """A part of a report that workers share: the stores from ``first`` to before ``end`` (NULL: to
    the last), by ``store_id`` as text. It reads the data as they were at ``data_revision``."""

    report = ForeignKeyField(Report, on_delete="CASCADE", backref="shards")
    report_id: str
    number = IntegerField()
    first = CharField(max_length=64)
    end = CharField(max_length=64, null=True)
    as_of = BigIntegerField()
    data_revision = IntegerField()
    stores = IntegerField(null=True)
    size = BigIntegerField(null=True)


class Import(AskedFor):
    """An import that was requested.

    ``files`` is a list of {"kind", "name", "path"}; ``counts`` has read, new, updated,
    unchanged, rejected and removed for each kind and in total; ``rejections`` holds the first 1,000
    rejected lines as {"file", "line", "column", "value", "reason"}. ``error_code`` is the code of
    the RestmonError that made it fail, NULL for any other cause. ``resumable`` is false for an
    import that runs inside the process that requested it (the command line). ``notices`` are
    sentences about the files besides their rejected lines. ``undone_at`` is when it was undone.
    ``collected_from`` is the beginning of the hour of an import that collects what came in by many
    calls (NULL: it is of files).
    """

    files = JSONField(default=list)
    counts = JSONField(null=True)
    rejections = JSONField(default=list)
    error_code = CharField(max_length=32, null=True)
    resumable = BooleanField(default=True)
    notices = JSONField(null=True)
    undone_at = BigIntegerField(null=True)
    collected_from = BigIntegerField(null=True, index=True)


class Change(BaseModel):
    """A change of the data by an import, or by hand (no import). Later changes have higher ids.
    ``undone``: everything is as it was before."""

    id = RowId()
    imported = ForeignKeyField(Import, on_delete="CASCADE", null=True, column_name="import_id")
    import_id: str | None
    made_at = BigIntegerField(default=now)
    undone = BooleanField(default=False)


class ReplacedRows(BaseModel):
    """What a change replaced of one ``kind`` of rows, in the order written (see
    `storage.changes`). ``first`` and ``last`` bound the instants of polls."""

    id = RowId()
    change = ForeignKeyField(Change, on_delete="CASCADE", backref="replaced")
    kind = CharField(max_length=32)
    first = BigIntegerField(null=True)
    last = BigIntegerField(null=True)
    data = BlobField()


class ColumnChoice(BaseModel):
    """A user's choice of which column of a file is which.

    ``same_header`` is the form in which headers are compared (`headers.same_header`). ``columns``
    maps ``kind.ours`` to the file's own name. ``actor`` made the choice; "" is everybody's.
    """

    id = RowId()
    same_header = TextField()
    actor = TextField(default="")
    columns = JSONField()
    chosen_at = BigIntegerField(default=now)

    class Meta:
        indexes = ((("same_header", "actor"), True),)


class DaySums(BaseModel):
    """The time of every store on one local ``date`` (days since 1970-01-01), packed (see
    `storage.day_sums`). A cache: workers make it from polls."""

    date = IntegerField(primary_key=True)
    data = BlobField()


class DaySumsState(BaseModel):
    """What the rows of `DaySums` stand for. There is one row, 1, or none.

    The dates from ``done_from`` on are those of the data at ``revision``, as of ``as_of``. Earlier
    ones are to be made, back to ``first``. ``basis`` has the settings that they depend on, and
    ``schedules`` a fingerprint of each store's hours. A worker is at it until ``busy_until``.
    """

    id = IntegerField(primary_key=True)
    revision = IntegerField()
    as_of = BigIntegerField()
    first = IntegerField()
    done_from = IntegerField()
    basis = CharField(max_length=64)
    schedules = BlobField()
    busy_until = BigIntegerField(null=True)


class WorkerHeartbeat(BaseModel):
    """The last sign of life of each worker process."""

    name = CharField(max_length=64, primary_key=True)
    started_at = BigIntegerField(default=now)
    seen_at = BigIntegerField(default=now)
