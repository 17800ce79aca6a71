"""What users chose of their files' columns, and what an import had to tell besides its lines."""

from peewee import BigIntegerField, JSONField, Model, TextField

from restmon.storage.models import RowId


def up(migrator, db):
    class ColumnChoice(Model):
        id = RowId()
        same_header = TextField()
        actor = TextField(default="")
        columns = JSONField()
        chosen_at = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            indexes = ((("same_header", "actor"), True),)

    db.create_tables([ColumnChoice])
    migrator.migrate(migrator.add_column("import", "notices", JSONField(null=True)))
