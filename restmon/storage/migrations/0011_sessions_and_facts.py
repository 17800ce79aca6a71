"""Where logins began, when an account's were ended, and what stays true: frozen copies."""

from peewee import BigIntegerField, CharField, Model, TextField


def up(migrator, db):
    class Fact(Model):
        name = CharField(max_length=32, primary_key=True)
        since = BigIntegerField()

        class Meta:
            database = db
            legacy_table_names = False

    db.create_tables([Fact])
    migrator.migrate(
        migrator.add_column("session", "browser", TextField(default="")),
        migrator.add_column("session", "address", TextField(default="")),
        migrator.add_column("account", "logged_out_at", BigIntegerField(null=True)),
    )
    db.execute_sql("CREATE INDEX auditentry_actor_action ON audit_entry (actor, action)")
    db.execute_sql(
        "INSERT INTO fact (name, since) SELECT 'first account', min(created_at) FROM account"
        " HAVING count(*) > 0"
    )
