"""Rules that say whom to tell what, and what is open of each: frozen copies of the new tables."""

from peewee import (
    SQL,
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
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

    class Store(Base):
        id = AutoField()

    class Group(Base):
        id = AutoField()

        class Meta:
            table_name = "store_group"

    class Channel(Base):
        id = AutoField()

    class Rule(Base):
        id = RowId()
        condition = CharField(max_length=32)
        groups = JSONField(null=True)
        group = ForeignKeyField(Group, on_delete="CASCADE", null=True)
        store = ForeignKeyField(Store, on_delete="CASCADE", null=True)
        minutes = IntegerField()
        reminder = IntegerField(null=True)
        paused = BooleanField()
        created_at = BigIntegerField()
        created_by = TextField()
        evaluated_at = BigIntegerField(null=True)
        revision = IntegerField(null=True)
        as_of = BigIntegerField(null=True)

    class RuleChannel(Base):
        rule = ForeignKeyField(Rule, on_delete="CASCADE", index=False)
        channel = ForeignKeyField(Channel, on_delete="CASCADE")

        class Meta:
            primary_key = CompositeKey("rule", "channel")

    class AlertState(Base):
        id = RowId()
        rule = ForeignKeyField(Rule, on_delete="CASCADE", index=False)
        store = IntegerField()
        part = CharField(max_length=32)
        is_open = BooleanField()
        token_hash = CharField(max_length=64, null=True, unique=True)
        acknowledged_at = BigIntegerField(null=True)
        values = JSONField()

        class Meta:
            indexes = ((("rule", "store", "part"), True),)

    db.create_tables([Rule, RuleChannel, AlertState])
