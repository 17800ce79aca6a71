"""Bearer keys of the API: a frozen copy of the new table, apart from the models on purpose."""

from peewee import AutoField, BigIntegerField, CharField, Model


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class ApiKey(Base):
        id = AutoField()
        name = CharField(max_length=64, unique=True)
        start = CharField(max_length=16)
        key_hash = CharField(max_length=64, unique=True)
        role = CharField(max_length=16)
        created_at = BigIntegerField()
        expires_at = BigIntegerField(null=True)
        last_used_at = BigIntegerField(null=True)
        revoked_at = BigIntegerField(null=True)

    db.create_tables([ApiKey])
