"""A process that serves many opens an SQLite file once, and notices another file in its place."""

import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from restmon.storage.sqlite.compat import MOST_IDLE, KeptConnections

ASK = "SELECT name FROM note"


def make(path: Path, name: str) -> None:
    with closing(sqlite3.connect(path)) as out:
        out.execute("CREATE TABLE note (name TEXT)")
        out.execute("INSERT INTO note VALUES (?)", [name])
        out.commit()


@pytest.fixture
def kept(tmp_path: Path) -> KeptConnections:
    path = tmp_path / "one.db"
    make(path, "first")
    return KeptConnections(str(path), pragmas={"foreign_keys": 1}, timeout=0)


def ask(kept: KeptConnections) -> tuple[str, int]:
    """What the file says, and the connection."""
    with kept.connection_context():
        (name,) = kept.execute_sql(ASK).fetchone()
        return name, id(kept.connection())


def test_threads_use_a_connection_one_after_the_other(kept: KeptConnections):
    found = []
    for _ in range(5):
        thread = threading.Thread(target=lambda: found.append(ask(kept)))
        thread.start()
        thread.join()
    assert len(set(found)) == 1
    assert found[0][0] == "first"


def test_threads_at_once_have_a_connection_each_and_few_stay_open(kept: KeptConnections):
    number = MOST_IDLE + 4
    barrier = threading.Barrier(number)

    def hold(_: int) -> int:
        with kept.connection_context():
            barrier.wait(30)
            return id(kept.connection())

    with ThreadPoolExecutor(number) as pool:
        assert len(set(pool.map(hold, range(number)))) == number
    assert len(kept._connections) == MOST_IDLE
    assert len(kept._files) == MOST_IDLE


def test_a_file_put_in_the_place_of_another_is_read(kept: KeptConnections, tmp_path: Path):
    assert ask(kept)[0] == "first"
    make(tmp_path / "two.db", "second")
    shutil.move(tmp_path / "two.db", kept.database)
    assert ask(kept)[0] == "second"
    Path(kept.database).unlink()
    with pytest.raises(Exception, match="no such table"):
        ask(kept)


def test_what_was_not_committed_is_undone(kept: KeptConnections):
    def leave() -> None:
        kept.connect()
        kept.connection().execute("BEGIN IMMEDIATE")
        kept.connection().execute("DELETE FROM note")
        kept.close()

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    assert ask(kept)[0] == "first"


def test_a_connection_waits_for_a_lock_as_long_as_it_is_told(tmp_path: Path):
    make(tmp_path / "one.db", "first")
    kept = KeptConnections(str(tmp_path / "one.db"), timeout=7)
    with kept.connection_context():
        assert kept.execute_sql("PRAGMA busy_timeout").fetchone() == (7000,)
