"""The first schema: a frozen copy of the tables, apart from the models on purpose."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    PostgresqlDatabase,
    SmallIntegerField,
    TextField,
)

POSTGRESQL = [
    # Stores are sorted as text by its code points, whatever the server's locale.
    'ALTER TABLE store ALTER COLUMN store_id TYPE varchar(64) COLLATE "C"',
    # One writer at a time makes revisions (see database.writing): without a sequence there are
    # no gaps where an import was rolled back, and a higher number is always a later commit.
    """CREATE FUNCTION next_revision() RETURNS integer LANGUAGE sql VOLATILE AS
       'SELECT coalesce(max(number), 0) + 1 FROM revision'""",
    "ALTER TABLE revision ALTER COLUMN number SET DEFAULT next_revision()",
    # The columns are in the order that packs a row best. No foreign key: it would be checked for
    # every poll; stores are only removed with their polls. The index holds all of a poll.
    """CREATE TABLE poll (
           timestamp bigint NOT NULL,
           store_id integer NOT NULL,
           status smallint NOT NULL,
           PRIMARY KEY (store_id, timestamp) INCLUDE (status)
       ) PARTITION BY RANGE (timestamp)""",
    # The months between are made when there are polls of them, or soon will be.
    "CREATE TABLE poll_before PARTITION OF poll FOR VALUES FROM (MINVALUE) TO (946684800000000)",
    "CREATE TABLE poll_after PARTITION OF poll FOR VALUES FROM (4102444800000000) TO (MAXVALUE)",
]


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Store(Base):
        id = AutoField()
        store_id = CharField(max_length=64, unique=True)
        timezone = CharField(null=True)
        demo = BooleanField(default=False)

    class BusinessHours(Base):
        id = AutoField()
        store = ForeignKeyField(Store, on_delete="CASCADE")
        day_of_week = SmallIntegerField()
        start_time = BigIntegerField()
        end_time = BigIntegerField()

    class Poll(Base):
        store = ForeignKeyField(Store, index=False)
        timestamp = BigIntegerField()
        status = SmallIntegerField()

        class Meta:
            primary_key = CompositeKey("store", "timestamp")
            without_rowid = True

    class Revision(Base):
        number = AutoField()
        created_at = BigIntegerField()
        polls_from = BigIntegerField(null=True)
        stores_changed = BooleanField()
        rebuild = BooleanField()

    class Job(Base):
        id = CharField(max_length=32, primary_key=True)
        status = CharField(max_length=16, index=True)
        progress = DoubleField()
        attempts = IntegerField()
        error = TextField(null=True)
        requested_at = BigIntegerField()
        requested_by = CharField(max_length=16)
        started_at = BigIntegerField(null=True)
        finished_at = BigIntegerField(null=True)
        lease_owner = CharField(max_length=64, null=True)
        lease_until = BigIntegerField(null=True)
        demo = BooleanField()

    class Report(Job):
        as_of = BigIntegerField(null=True)
        method = CharField(max_length=16)
        stores = IntegerField(null=True)
        size = BigIntegerField(null=True)

    class Import(Job):
        files = JSONField()
        counts = JSONField(null=True)
        rejections = JSONField()
        resumable = BooleanField()

    class WorkerHeartbeat(Base):
        name = CharField(max_length=64, primary_key=True)
        started_at = BigIntegerField()
        seen_at = BigIntegerField()

    db.create_tables([Store, BusinessHours, Revision, Report, Import, WorkerHeartbeat])
    if isinstance(db, PostgresqlDatabase):
        for statement in POSTGRESQL:
            db.execute_sql(statement)
    else:
        db.create_tables([Poll])
