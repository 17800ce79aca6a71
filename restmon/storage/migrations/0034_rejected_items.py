"""The rejected items of each call of a live feed: a frozen copy of the new table."""

from peewee import CharField, ForeignKeyField, Model, TextField

from restmon.storage.models import RowId


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Import(Base):
        id = CharField(max_length=32, primary_key=True)

    class RejectedItems(Base):
        id = RowId()
        imported = ForeignKeyField(Import, on_delete="CASCADE", column_name="import_id")
        kind = CharField(max_length=16)
        lines = TextField()

    db.create_tables([RejectedItems])
