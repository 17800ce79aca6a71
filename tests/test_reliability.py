"""What docs/RELIABILITY.md promises is held by tests that are there and by settings."""

import re

from restmon.storage import database, models
from tests.support.environment import ROOT
from tests.support.workspace import Workspace

PROMISES = (ROOT / "docs" / "RELIABILITY.md").read_text()
FULL = 2
"""SQLite's number for ``synchronous = FULL``."""


def test_the_tests_that_it_names_are_there():
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PROMISES)
    assert len(named) > 15
    for path, name in named:
        text = (ROOT / path).read_text()
        assert not name or f"def {name}(" in text, f"{path}::{name}"


def test_what_was_committed_is_on_the_disk(workspace: Workspace):
    with database.session():
        pragmas = {
            name: models.database.execute_sql(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": FULL, "foreign_keys": 1}
