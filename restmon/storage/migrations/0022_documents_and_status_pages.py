"""Documents and public status pages: frozen copies of the new tables."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
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

    class Document(Base):
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
        actor = TextField()
        groups = JSONField(null=True)
        form = CharField(max_length=8)
        paper = CharField(max_length=8)
        period = TextField()
        zone = TextField(null=True)
        scope = JSONField(null=True)
        each_store = BooleanField()
        as_of = BigIntegerField(null=True)
        method = CharField(max_length=16)
        title = TextField(null=True)
        stores = IntegerField(null=True)
        size = BigIntegerField(null=True)

    class StatusPage(Base):
        id = RowId()
        group = ForeignKeyField(Group, on_delete="CASCADE", unique=True)
        slug = CharField(max_length=64, unique=True)
        show_ids = BooleanField()
        created_at = BigIntegerField()

    db.create_tables([Document, StatusPage])
