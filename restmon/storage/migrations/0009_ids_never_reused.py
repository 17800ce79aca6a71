"""SQLite: row ids are never used again (AUTOINCREMENT), as PostgreSQL's sequences never do.

Each table is made again from its own SQL, so it does not matter what columns it has. Tables that
refer to one that is dropped would lose their rows with it (ON DELETE CASCADE); they are emptied
into temporary tables too, and made again after those they refer to.
"""

import re

from peewee import SqliteDatabase

ROW_ID = re.compile(r"(INTEGER\s+NOT\s+NULL\s+PRIMARY\s+KEY)(?!\s+AUTOINCREMENT)", re.IGNORECASE)


def up(migrator, db):
    if not isinstance(db, SqliteDatabase):
        return
    tables = dict(
        db.execute_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
    )
    del tables["schema_migration"]  # the runner's own
    refers = {
        name: {row[2] for row in db.execute_sql(f'PRAGMA foreign_key_list("{name}")')}
        for name in tables
    }
    changed = {name for name, sql in tables.items() if ROW_ID.search(sql)}
    affected = set(changed)
    while more := {name for name in tables if refers[name] & affected} - affected:
        affected |= more
    parents_first = []
    while left := affected - set(parents_first):
        ready = sorted(name for name in left if not refers[name] & left)
        parents_first += ready
    indexes = db.execute_sql(
        "SELECT tbl_name, sql FROM sqlite_master"
        " WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid"
    ).fetchall()
    for name in parents_first:
        db.execute_sql(f'CREATE TEMP TABLE "kept_{name}" AS SELECT * FROM main."{name}"')  # noqa: S608  # nosec B608
    for name in reversed(parents_first):
        db.execute_sql(f'DROP TABLE main."{name}"')
    for name in parents_first:
        db.execute_sql(ROW_ID.sub(r"\1 AUTOINCREMENT", tables[name]))
        db.execute_sql(f'INSERT INTO main."{name}" SELECT * FROM temp."kept_{name}"')  # noqa: S608  # nosec B608
        db.execute_sql(f'DROP TABLE temp."kept_{name}"')
    for name, sql in indexes:
        if name in affected:
            db.execute_sql(sql)
    go_on_after_groups_that_are_gone(db)


def go_on_after_groups_that_are_gone(db):
    """Reports and imports may refer to groups that were deleted: those ids are used, too."""
    newest = db.execute_sql(
        "SELECT max(value) FROM (SELECT j.value FROM report, json_each(report.groups) AS j"
        ' UNION ALL SELECT j.value FROM "import", json_each("import".groups) AS j)'
    ).fetchone()[0]
    if newest is None:
        return
    there = db.execute_sql("SELECT seq FROM sqlite_sequence WHERE name = 'store_group'").fetchone()
    if there is None:
        db.execute_sql("INSERT INTO sqlite_sequence VALUES ('store_group', ?)", (newest,))
    elif there[0] < newest:
        db.execute_sql("UPDATE sqlite_sequence SET seq = ? WHERE name = 'store_group'", (newest,))
