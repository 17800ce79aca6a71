"""Groups of stores: a frozen copy of the new tables, apart from the models on purpose."""

from peewee import AutoField, CharField, CompositeKey, ForeignKeyField, Model, TextField


def up(migrator, db):
    class Base(Model):
        class Meta:
            database = db
            legacy_table_names = False

    class Store(Base):
        id = AutoField()

    class Group(Base):
        id = AutoField()
        name = CharField(max_length=64)
        same_name = TextField(unique=True)

        class Meta:
            table_name = "store_group"

    class GroupMember(Base):
        group = ForeignKeyField(Group, on_delete="CASCADE", index=False)
        store = ForeignKeyField(Store, on_delete="CASCADE")

        class Meta:
            primary_key = CompositeKey("group", "store")

    db.create_tables([Group, GroupMember])
