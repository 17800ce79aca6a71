"""The Peewee models: what is stored, in which unit.

All instants are integers: microseconds since the Unix epoch, UTC. All wall-clock times are
integers: microseconds since local midnight.
"""

import secrets
import time
from typing import Self

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DatabaseProxy,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SmallIntegerField,
    TextField,
)

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


class BaseModel(Model):
    class Meta:
        database = database
        legacy_table_names = False


class Store(BaseModel):
    """One restaurant, named in any of the three files.

    ``timezone`` is an IANA name or NULL (then America/Chicago); ``demo`` marks demo data.
    """

    id = AutoField()
    store_id = CharField(max_length=64, unique=True)
    timezone = CharField(null=True)
    demo = BooleanField(default=False)


class BusinessHours(BaseModel):
    """One line of a business-hours file: ``day_of_week`` 0 = Monday … 6 = Sunday."""

    id = AutoField()
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


class Group(BaseModel):
    """A group of stores: a brand, an owner, a city. A store may be in several.

    ``name`` as it is shown, ``same_name`` as it is compared (group_names.same_name). The id
    stays when the name changes, so what belongs to a group can refer to it.
    """

    id = AutoField()
    name = CharField(max_length=64)
    same_name = TextField(unique=True)

    class Meta:
        table_name = "store_group"


class GroupMember(BaseModel):
    """A store that is in a group."""

    group = ForeignKeyField(Group, on_delete="CASCADE", index=False)
    store = ForeignKeyField(Store, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("group", "store")


class Revision(BaseModel):
    """One row for each transaction that changed what a report reads or a page shows.

    A cache that stands at revision r is brought up to date by reading the polls from the
    smallest ``polls_from`` after r on, and the stores, zones and hours where
    ``stores_changed``. ``rebuild`` says that data were removed: read everything anew. A row with
    none of them is a change of groups: the cache has nothing to read.
    """

    number = AutoField()
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
    ``rounds`` is how often it was parted into shards."""

    as_of = BigIntegerField(null=True)
    method = CharField(max_length=16, default="nearest")
    stores = IntegerField(null=True)
    size = BigIntegerField(null=True)
    rounds = IntegerField(default=0)


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
    unchanged and rejected for each kind and in total; ``rejections`` holds the first 1,000
    rejected lines as {"file", "line", "column", "value", "reason"}. ``error_code`` is the code of
    the RestmonError for which it failed, NULL where it is none's. ``resumable`` is false for an
    import that runs inside the process that asked for it (the command line).
    """

    files = JSONField(default=list)
    counts = JSONField(null=True)
    rejections = JSONField(default=list)
    error_code = CharField(max_length=32, null=True)
    resumable = BooleanField(default=True)


class ApiKey(BaseModel):
    """A bearer key of the API: ``start`` is its beginning, to tell keys apart by; ``key_hash``
    the SHA-256 of the whole, in hexadecimal digits, which is all that is kept of it. Where
    ``every_store`` is false, it sees the stores of its groups alone (`ApiKeyGroup`)."""

    id = AutoField()
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

    id = AutoField()
    email = CharField(max_length=254)
    same_email = CharField(max_length=254, unique=True)
    role = CharField(max_length=16)
    every_store = BooleanField(default=False)
    password_hash = TextField(null=True)
    created_at = BigIntegerField(default=now)
    last_login_at = BigIntegerField(null=True)
    disabled_at = BigIntegerField(null=True)


class AccountGroup(BaseModel):
    """A group whose stores an account may see."""

    account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
    group = ForeignKeyField(Group, on_delete="CASCADE")

    class Meta:
        primary_key = CompositeKey("account", "group")


class Session(BaseModel):
    """A login: ``token_hash`` is the SHA-256 of what the browser's cookie holds."""

    token_hash = CharField(max_length=64, primary_key=True)
    account = ForeignKeyField(Account, on_delete="CASCADE")
    created_at = BigIntegerField(default=now)
    seen_at = BigIntegerField(default=now)


class AuditEntry(BaseModel):
    """One line of who did what (see `audit`)."""

    id = AutoField()
    at = BigIntegerField(default=now, index=True)
    actor = TextField()
    action = CharField(max_length=32)
    subject = TextField(default="")
    address = TextField(default="")


class WorkerHeartbeat(BaseModel):
    """The last sign of life of each worker process."""

    name = CharField(max_length=64, primary_key=True)
    started_at = BigIntegerField(default=now)
    seen_at = BigIntegerField(default=now)


ALL = [
    *(Store, BusinessHours, Poll, Group, GroupMember, Revision),
    *(Report, Shard, Import, WorkerHeartbeat, ApiKey),
    *(ApiKeyGroup, Account, AccountGroup, Session, AuditEntry),
]
