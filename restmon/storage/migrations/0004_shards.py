"""Reports in parts: a frozen copy of the new table, apart from the models on purpose."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    DoubleField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Report(Base):
        id = CharField(max_length=32, primary_key=True)

    class Shard(Base):
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
        report = ForeignKeyField(Report, on_delete="CASCADE")
        number = IntegerField()
        first = CharField(max_length=64)
        end = CharField(max_length=64, null=True)
        as_of = BigIntegerField()
        data_revision = IntegerField()
        stores = IntegerField(null=True)
        size = BigIntegerField(null=True)

    db.create_tables([Shard])
    migrator.migrate(migrator.add_column("report", "rounds", IntegerField(default=0)))
