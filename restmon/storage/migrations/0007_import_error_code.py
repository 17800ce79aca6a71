"""Why an import failed, as a word for programs."""

from peewee import CharField


def up(migrator, db):
    migrator.migrate(
        migrator.add_column("import", "error_code", CharField(max_length=32, null=True))
    )
