"""Channels, and the messages that wait to be sent: frozen copies of the new tables."""

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    NodeList,
    SqliteDatabase,
    TextField,
)


def up(migrator, db):
    class RowId(AutoField):
        def ddl(self, ctx):
            made = super().ddl(ctx)
            on_sqlite = isinstance(db, SqliteDatabase)
            return NodeList((made, SQL("AUTOINCREMENT"))) if on_sqlite else made

    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Channel(Base):
        id = RowId()
        name = CharField(max_length=64)
        groups = JSONField(null=True)
        kind = CharField(max_length=16)
        scheme = CharField(max_length=32)
        url = TextField()
        secret = TextField(null=True)
        events = JSONField()
        zone = CharField(null=True)
        quiet_from = BigIntegerField(null=True)
        quiet_to = BigIntegerField(null=True)
        created_at = BigIntegerField()
        created_by = TextField()
        last_sent_at = BigIntegerField(null=True)
        last_failed_at = BigIntegerField(null=True)
        last_error = TextField(null=True)

    class OutboxMessage(Base):
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
        key = CharField(max_length=200, unique=True)
        channel = ForeignKeyField(Channel, on_delete="SET NULL", null=True)
        channel_name = TextField()
        kind = CharField(max_length=32)
        subject = TextField()
        body = TextField()
        payload = TextField(null=True)
        attachment = BlobField(null=True)
        attachment_name = TextField(null=True)
        attachment_type = TextField(null=True)
        due_at = BigIntegerField()
        give_up_at = BigIntegerField()
        tries = IntegerField()
        sending_at = BigIntegerField(null=True)

        class Meta:
            table_name = "outbox"
            indexes = ((("status", "due_at"), False),)

    db.create_tables([Channel, OutboxMessage])
