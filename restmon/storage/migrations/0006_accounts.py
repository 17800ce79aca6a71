"""Accounts, what they see, and the audit: frozen copies of the new tables."""

from peewee import (
    AutoField,
    BigIntegerField,
    BooleanField,
    CharField,
    CompositeKey,
    ForeignKeyField,
    JSONField,
    Model,
    TextField,
)


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Group(Base):
        id = AutoField()

        class Meta:
            table_name = "store_group"

    class ApiKey(Base):
        id = AutoField()

    class ApiKeyGroup(Base):
        api_key = ForeignKeyField(ApiKey, on_delete="CASCADE", index=False)
        group = ForeignKeyField(Group, on_delete="CASCADE")

        class Meta:
            primary_key = CompositeKey("api_key", "group")

    class Account(Base):
        id = AutoField()
        email = CharField(max_length=254)
        same_email = CharField(max_length=254, unique=True)
        role = CharField(max_length=16)
        every_store = BooleanField()
        password_hash = TextField(null=True)
        created_at = BigIntegerField()
        last_login_at = BigIntegerField(null=True)
        disabled_at = BigIntegerField(null=True)

    class AccountGroup(Base):
        account = ForeignKeyField(Account, on_delete="CASCADE", index=False)
        group = ForeignKeyField(Group, on_delete="CASCADE")

        class Meta:
            primary_key = CompositeKey("account", "group")

    class Session(Base):
        token_hash = CharField(max_length=64, primary_key=True)
        account = ForeignKeyField(Account, on_delete="CASCADE")
        created_at = BigIntegerField()
        seen_at = BigIntegerField()

    class AuditEntry(Base):
        id = AutoField()
        at = BigIntegerField(index=True)
        actor = TextField()
        action = CharField(max_length=32)
        subject = TextField()
        address = TextField()

    db.create_tables([ApiKeyGroup, Account, AccountGroup, Session, AuditEntry])
    migrator.migrate(
        migrator.add_column("report", "actor", TextField(default="")),
        migrator.add_column("report", "groups", JSONField(null=True)),
        migrator.add_column("import", "actor", TextField(default="")),
        migrator.add_column("import", "groups", JSONField(null=True)),
        migrator.add_column("api_key", "every_store", BooleanField(default=True)),
    )
