"""What imports replaced, so that they can be undone: frozen copies of the new tables.

Plain SQL for the column: Peewee's migrator would make SQLite's table anew.
"""

from peewee import BigIntegerField, BlobField, BooleanField, CharField, ForeignKeyField, Model

from restmon.storage.models import RowId


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Import(Base):
        id = CharField(max_length=32, primary_key=True)

    class Change(Base):
        id = RowId()
        imported = ForeignKeyField(Import, on_delete="CASCADE", null=True, column_name="import_id")
        made_at = BigIntegerField()
        undone = BooleanField()

    class ReplacedRows(Base):
        id = RowId()
        change = ForeignKeyField(Change, on_delete="CASCADE")
        kind = CharField(max_length=32)
        first = BigIntegerField(null=True)
        last = BigIntegerField(null=True)
        data = BlobField()

    db.create_tables([Change, ReplacedRows])
    db.execute_sql('ALTER TABLE "import" ADD COLUMN undone_at BIGINT')
