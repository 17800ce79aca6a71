"""The models of files that are kept in the database (see `storage.files`), and of what becomes one
when it is read."""

from peewee import (
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from restmon.storage.models import BaseModel, Import, RowId


class StoredFile(BaseModel):
    """A file by its ``kind`` and ``key``; of several, the one with the highest id counts.

    ``size`` are its bytes, NULL until all of it is there. ``packed`` are the bytes of its chunks.
    ``changed_at`` is by the clock that all machines share.
    """

    id = RowId()
    kind = CharField(max_length=16)
    key = CharField(max_length=128)
    size = BigIntegerField(null=True)
    packed = BigIntegerField(default=0)
    changed_at = BigIntegerField()

    class Meta:
        indexes = ((("kind", "key"), False),)


class FileChunk(BaseModel):
    """A piece of a file, of about 1 MiB before it is ``compressed`` (zlib). ``number`` counts from
    0."""

    file = ForeignKeyField(StoredFile, on_delete="CASCADE", index=False)
    number = IntegerField()
    compressed = BooleanField()
    data = BlobField()

    class Meta:
        primary_key = CompositeKey("file", "number")


class RejectedItems(BaseModel):
    """What was rejected of one call of a live feed of a ``kind``. ``lines`` is JSON: a list of
    [index, problem, cells by name, or one text]. See `ingest.rejected_items`."""

    id = RowId()
    imported = ForeignKeyField(Import, on_delete="CASCADE", column_name="import_id")
    kind = CharField(max_length=16)
    lines = TextField()
