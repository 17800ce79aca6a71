"""The time of all stores a local date, which pages read: a frozen copy of the new tables."""

from peewee import BigIntegerField, BlobField, CharField, IntegerField, Model


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class DaySums(Base):
        date = IntegerField(primary_key=True)
        data = BlobField()

    class DaySumsState(Base):
        id = IntegerField(primary_key=True)
        revision = IntegerField()
        as_of = BigIntegerField()
        first = IntegerField()
        done_from = IntegerField()
        basis = CharField(max_length=64)
        schedules = BlobField()
        busy_until = BigIntegerField(null=True)

    db.create_tables([DaySums, DaySumsState])
