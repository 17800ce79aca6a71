"""Uptime targets of stores, of groups and of all: a frozen copy of the new table."""

from peewee import AutoField, ForeignKeyField, IntegerField, Model

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

    class Target(Base):
        id = RowId()
        store = ForeignKeyField(Store, on_delete="CASCADE", null=True, unique=True)
        group = ForeignKeyField(Group, on_delete="CASCADE", null=True, unique=True)
        target = IntegerField()

    db.create_tables([Target])
