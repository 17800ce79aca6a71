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
    """A row's number. It is never used again, on SQLite too, so that what refers to a row that is
    gone refers to nothing."""

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
    """One restaurant, named in any of the three files.

    ``timezone`` is an IANA name or NULL (then America/Chicago); ``demo`` marks demo data;
    ``hours_unreadable``: it has no business hours because those it was given could not be read
    (it is not open 24×7 then).
    """

    id = RowId()
    store_id = CharField(max_length=64, unique=True)
    timezone = CharField(null=True)
    demo = BooleanField(default=False)
    hours_unreadable = BooleanField(default=False)


class BusinessHours(BaseModel):
    """One line of a business-hours file: ``day_of_week`` 0 = Monday … 6 = Sunday.

    ``start_time`` and ``end_time`` are both -1 (`restmon.core.hours.CLOSED`) where the line says
    that the store is closed on that day.
    """

    id = RowId()
    store = ForeignKeyField(Store, on_delete="CASCADE", backref="business_hours")
    day_of_week = SmallIntegerField()
    start_time = BigIntegerField()
    end_time = BigIntegerField()


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
    """What is known of a store beside its hours; no row where nothing is.

    ``sales_per_hour`` is in the currency of the owner. No row of hours opens on a local date
    before ``opened_on``, or on or after ``closed_on``: both days since 1970-01-01.
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
    """The reason that a poll gave for its status; no row for a poll that gave none."""

    store = ForeignKeyField(Store, on_delete="CASCADE", index=False)
    timestamp = BigIntegerField()
    reason = TextField()

    class Meta:
        primary_key = CompositeKey("store", "timestamp")


class Group(BaseModel):
    """A group of stores: a brand, an owner, a city. A store may be in several.

    ``name`` as it is shown, ``same_name`` as it is compared (`core.group_names`). The id
    stays when the name changes, so what belongs to a group can refer to it.
    """

    id = RowId()
    name = CharField(max_length=64)
    same_name = TextField(unique=True)

    class Meta:
        table_name = "store_group"

    @classmethod
    def named(cls, name: str) -> Self:
        """The group of a name, whatever its case; raises NotFound. The caller holds a
        connection."""
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
    """The uptime target of a store, of a group, or where it has neither of all stores: ``target``
    in millionths (`core.targets`)."""

    id = RowId()
    store = ForeignKeyField(Store, on_delete="CASCADE", null=True, unique=True)
    group = ForeignKeyField(Group, on_delete="CASCADE", null=True, unique=True)
    target = IntegerField()


class Revision(BaseModel):
    """One row for each transaction that changed what a report reads or a page shows.

    A cache that stands at revision r is brought up to date by reading the polls from the
    smallest ``polls_from`` after r on, and the stores, zones and hours where
    ``stores_changed``. ``rebuild`` says that data were removed: read everything anew. A row with
    none of them is a change of groups: the cache has nothing to read.
    """

    number = RowId()
    created_at = BigIntegerField(default=now)
    polls_from = BigIntegerField(null=True)
    stores_changed = BooleanField(default=False)
    rebuild = BooleanField(default=False)


class Job(BaseModel):
    """What reports and imports have in common: state, progress and the lease of the worker.

    ``status`` is Running, Complete or Failed; it is Running from the request on. A worker that
    takes the job up writes its own ``lease_owner`` and keeps ``lease_until`` ahead of the
    clock; when that instant is past, the worker is gone and another may take over.
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
        """The job of an id as somebody wrote it, or None. The caller holds a connection."""
        if "\0" in job_id:  # which PostgreSQL takes in no text
            return None
        return cls.get_or_none(cls.id == job_id)


class AskedFor(Job):
    """A job somebody asked for: ``actor`` is who (see `roles.Actor`), ``groups`` the row ids of
    the groups whose stores alone it is of (NULL: all stores)."""

    actor = TextField(default="")
    groups = JSONField(null=True)


class Report(AskedFor):
    """A report that was asked for. ``as_of`` is NULL until the work begins when it was left to
    the default (the newest poll); ``stores`` and ``size`` (bytes) are those of the CSV;
    ``rounds`` is how often it was parted into shards. ``window`` are the words of the window that
    was asked for, by name (NULL: the seven columns' windows), ``scope`` those of the group or store
    that it is of (NULL: all); ``data_revision`` is the state of the data that it was computed of.
    With a window, ``stores`` and ``size`` are those of its details."""

    as_of = BigIntegerField(null=True)
    method = CharField(max_length=16, default="nearest")
    stores = IntegerField(null=True)
    size = BigIntegerField(null=True)
    rounds = IntegerField(default=0)
    window = JSONField(null=True)
    scope = JSONField(null=True)
    data_revision = IntegerField(null=True)


class Shard(Job):
    """A part of a report that workers share: the stores from ``first`` up to, not including,
    ``end`` (NULL: to the last), by ``store_id`` as text, as of the instant and of the state of
    the data at the revision ``data_revision``."""

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
    """An import that was asked for.

    ``files`` is a list of {"kind", "name", "path"}; ``counts`` has read, new, updated,
    unchanged, rejected and removed for each kind and in total; ``rejections`` holds the first 1,000
    rejected lines as {"file", "line", "column", "value", "reason"}. ``error_code`` is the code of
    the RestmonError for which it failed, NULL where it is none's. ``resumable`` is false for an
    import that runs inside the process that asked for it (the command line). ``notices`` are
    sentences on what else is to be known of the files. ``undone_at`` is when it was undone.
    """

    files = JSONField(default=list)
    counts = JSONField(null=True)
    rejections = JSONField(default=list)
    error_code = CharField(max_length=32, null=True)
    resumable = BooleanField(default=True)
    notices = JSONField(null=True)
    undone_at = BigIntegerField(null=True)


class Change(BaseModel):
    """An import that changed what is stored, or with no import a person who edited the data by
    hand. Later ones have higher ids. ``undone``: what it changed is as it was before."""

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
    """Which column of a file is which, as a user chose: ``same_header`` is the header as it is
    compared (`headers.same_header`), ``columns`` maps ``kind.ours`` to the file's own name;
    ``actor`` is whose choice it is, "" where it is everybody's."""

    id = RowId()
    same_header = TextField()
    actor = TextField(default="")
    columns = JSONField()
    chosen_at = BigIntegerField(default=now)

    class Meta:
        indexes = ((("same_header", "actor"), True),)


class ApiKey(BaseModel):
    """A bearer key of the API: ``start`` is its beginning, to tell keys apart by; ``key_hash``
    the SHA-256 of the whole, in hexadecimal digits, which is all that is kept of it. Where
    ``every_store`` is false, it sees the stores of its groups alone (`ApiKeyGroup`)."""

    id = RowId()
    name = CharField(max_length=64, unique=True)
    start = CharField(max_length=16)
    key_hash = CharField(max_length=64, unique=True)
    role = CharField(max_length=16)
    every_store = BooleanField(default=True)
    created_at = BigIntegerField(default=now)
    expires_at = BigIntegerField(null=True)
    last_used_at = BigIntegerField(null=True)
    revoked_at = BigIntegerField(null=True)


class ApiKeyGroup(BaseModel):
    """A group whose stores a key may see."""

    api_key = ForeignKeyField(ApiKey, on_delete="CASCADE", index=False)
    group = ForeignKeyField(Group, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("api_key", "group")


class Account(BaseModel):
    """A person who may use the dashboard: ``email`` as it is shown, ``same_email`` as it is
    compared. ``password_hash`` is Argon2's, NULL where the person logs in elsewhere (OIDC).
    ``every_store`` as for a key."""

    id = RowId()
    email = CharField(max_length=254)
    same_email = CharField(max_length=254, unique=True)
    role = CharField(max_length=16)
    every_store = BooleanField(default=False)
    password_hash = TextField(null=True)
    created_at = BigIntegerField(default=now)
    last_login_at = BigIntegerField(null=True)
    disabled_at = BigIntegerField(null=True)
    logged_out_at = BigIntegerField(null=True)


class AccountGroup(BaseModel):
    """A group whose stores an account may see."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    group = ForeignKeyField(Group, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("account", "group")


class Session(BaseModel):
    """A login: ``token_hash`` is the SHA-256 of what the browser's cookie holds; ``browser`` and
    ``address`` are where it began."""

    token_hash = CharField(max_length=64, primary_key=True)
    account = ForeignKeyField(Account, on_delete="CASCADE")
    created_at = BigIntegerField(default=now)
    seen_at = BigIntegerField(default=now)
    browser = TextField(default="")
    address = TextField(default="")


class Fact(BaseModel):
    """Something that is true of this database from an instant on, such as that there was an
    account: it stays when the rows that made it true are gone."""

    name = CharField(max_length=32, primary_key=True)
    since = BigIntegerField(default=now)


class AuditEntry(BaseModel):
    """One line of who did what (see `audit`)."""

    id = RowId()
    at = BigIntegerField(default=now, index=True)
    actor = TextField()
    action = CharField(max_length=32)
    subject = TextField(default="")
    address = TextField(default="")

    class Meta:
        indexes = ((("actor", "action"), False),)


class WorkerHeartbeat(BaseModel):
    """The last sign of life of each worker process."""

    name = CharField(max_length=64, primary_key=True)
    started_at = BigIntegerField(default=now)
    seen_at = BigIntegerField(default=now)


ALL = [
    *(Store, BusinessHours, Poll, Group, GroupMember, Revision),
    *(StoreDirectory, OtherHours, HourlySales, PollReason, Target),
    *(Report, Shard, Import, Change, ReplacedRows, ColumnChoice, WorkerHeartbeat, ApiKey),
    *(ApiKeyGroup, Account, AccountGroup, Session, Fact, AuditEntry),
]
