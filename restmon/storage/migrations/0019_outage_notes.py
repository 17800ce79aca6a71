"""Notes on outages: a frozen copy of the new table."""

from peewee import AutoField, BigIntegerField, ForeignKeyField, Model, TextField

from restmon.storage.models import RowId


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Store(Base):
        id = AutoField()

    class OutageNote(Base):
        id = RowId()
        store = ForeignKeyField(Store, on_delete="CASCADE")
        at = BigIntegerField()
        cause = TextField(null=True)
        text = TextField()
        actor = TextField()
        written_at = BigIntegerField()
        changed_at = BigIntegerField(null=True)

    db.create_tables([OutageNote])
