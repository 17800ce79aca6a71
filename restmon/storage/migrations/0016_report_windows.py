"""Reports of other windows, of a group or of a store, and the state of the data they read."""

from peewee import IntegerField, JSONField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("report", "window", JSONField(null=True)),
        migrator.add_column("report", "scope", JSONField(null=True)),
        migrator.add_column("report", "data_revision", IntegerField(null=True)),
    )
