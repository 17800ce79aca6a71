"""Links by which a person sets the password of an account: a frozen copy of the new table."""

from peewee import AutoField, BigIntegerField, CharField, ForeignKeyField, Model


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Account(Base):
        id = AutoField()

    class PasswordLink(Base):
        token_hash = CharField(max_length=64, primary_key=True)
        account = ForeignKeyField(Account, on_delete="CASCADE", unique=True)
        created_at = BigIntegerField()

    db.create_tables([PasswordLink])
