"""Schedules of documents and their runs: frozen copies of the new tables."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    ForeignKeyField,
    JSONField,
    Model,
    SmallIntegerField,
    TextField,
)

from restmon.storage.models import RowId


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Group(Base):
        id = AutoField()

        class Meta:
            table_name = "store_group"

    class Schedule(Base):
        id = RowId()
        name = CharField(max_length=64)
        actor = TextField()
        groups = JSONField(null=True)
        group = ForeignKeyField(Group, on_delete="CASCADE", null=True)
        every = CharField(max_length=8)
        day = SmallIntegerField(null=True)
        time = BigIntegerField()
        zone = CharField()
        form = CharField(max_length=8)
        paper = CharField(max_length=8)
        period = TextField()
        each_store = BooleanField()
        channels = JSONField()
        paused = BooleanField()
        since = BigIntegerField()
        created_at = BigIntegerField()

    class ScheduleRun(Base):
        id = RowId()
        schedule = ForeignKeyField(Schedule, on_delete="CASCADE", index=False)
        due_at = BigIntegerField()
        by_hand = BooleanField()
        document_id = CharField(max_length=32, null=True, index=True)
        delivered_at = BigIntegerField(null=True)
        note = TextField(null=True)

        class Meta:
            indexes = ((("schedule", "due_at"), True),)

    db.create_tables([Schedule, ScheduleRun])
