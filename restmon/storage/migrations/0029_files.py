"""Files in the database: a frozen copy of the new tables."""

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    Model,
    PostgresqlDatabase,
)

from restmon.storage.models import RowId


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class StoredFile(Base):
        id = RowId()
        kind = CharField(max_length=16)
        key = CharField(max_length=128)
        size = BigIntegerField(null=True)
        packed = BigIntegerField()
        changed_at = BigIntegerField()

        class Meta:
            indexes = ((("kind", "key"), False),)

    class FileChunk(Base):
        file = ForeignKeyField(StoredFile, on_delete="CASCADE", index=False)
        number = IntegerField()
        compressed = BooleanField()
        data = BlobField()

        class Meta:
            primary_key = CompositeKey("file", "number")

    db.create_tables([StoredFile, FileChunk])
    if isinstance(db, PostgresqlDatabase):
        # The data are compressed already where that pays.
        db.execute_sql("ALTER TABLE file_chunk ALTER COLUMN data SET STORAGE EXTERNAL")
