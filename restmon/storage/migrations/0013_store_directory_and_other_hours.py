"""The store directory, dates with other hours, hourly sales, and reasons of polls: frozen
copies of the new tables."""

from peewee import (
    AutoField,
    BigIntegerField,
    CompositeKey,
    DoubleField,
    ForeignKeyField,
    IntegerField,
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

    class Store(Base):
        id = AutoField()

    class Group(Base):
        id = AutoField()

        class Meta:
            table_name = "store_group"

    class StoreDirectory(Base):
        store = ForeignKeyField(Store, on_delete="CASCADE", primary_key=True)
        name = TextField(null=True)
        address = TextField(null=True)
        sales_per_hour = DoubleField(null=True)
        opened_on = IntegerField(null=True)
        closed_on = IntegerField(null=True)

    class HourlySales(Base):
        store = ForeignKeyField(Store, on_delete="CASCADE", index=False)
        day_of_week = SmallIntegerField()
        hour = SmallIntegerField()
        sales = DoubleField()

        class Meta:
            primary_key = CompositeKey("store", "day_of_week", "hour")

    class PollReason(Base):
        store = ForeignKeyField(Store, on_delete="CASCADE", index=False)
        timestamp = BigIntegerField()
        reason = TextField()

        class Meta:
            primary_key = CompositeKey("store", "timestamp")

    class OtherHours(Base):
        id = RowId()
        store = ForeignKeyField(Store, on_delete="CASCADE", null=True)
        group = ForeignKeyField(Group, on_delete="CASCADE", null=True)
        date = IntegerField()
        start_time = BigIntegerField(null=True)
        end_time = BigIntegerField(null=True)
        note = TextField(null=True)

    db.create_tables([StoreDirectory, HourlySales, PollReason, OtherHours])
