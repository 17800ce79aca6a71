"""Imports that collect what came in one after the other: the hour that each is of."""


def up(migrator, db):
    db.execute_sql('ALTER TABLE "import" ADD COLUMN collected_from BIGINT')
    db.execute_sql('CREATE INDEX import_collected_from ON "import" (collected_from)')
