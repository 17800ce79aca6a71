"""Every command, whatever is wrong with the database: one sentence and exit status 2.

The commands are those that click knows, so a new one is tested with all the others.
"""

import os
import random
import shutil
import socket
import sqlite3
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click
import psycopg
import pytest
from click.testing import CliRunner, Result

from restmon.access import accounts, api_keys
from restmon.access.roles import Role
from restmon.cli.main import main
from restmon.reporting.snapshot import cache
from restmon.settings import get_settings
from restmon.storage import sqlite
from tests.support.clusters import Cluster, fresh_database
from tests.support.workspace import (
    HOURS_HEADER,
    POLLS_HEADER,
    ZONES_HEADER,
    Workspace,
    close_databases,
    make_workspace,
    open_workspace,
)

PROCESSES = {"worker", "api", "dashboard", "run"}
"""Commands that become a process of their own."""
NOBODY = 65534
PAGE = 4096
PASSWORD = "correct horse battery"
TYPED = {("alerts", "add-channel"): "json://example.com/"}
"""What is typed where it is no password."""
LATER = "INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2030-01-01 00:00:00')"


def commands() -> Iterator[tuple[str, ...]]:
    """The words of every command that ends by itself."""

    def below(command: click.Command, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                yield from below(child, (*words, name))
        elif words[0] not in PROCESSES:
            yield words

    return below(main, ())


COMMANDS = sorted(commands())


def test_the_commands_are_found():
    assert {("status",), ("report",), ("accounts", "add"), ("keys", "make")} <= set(COMMANDS)
    assert set(main.commands) >= PROCESSES


def arguments(words: tuple[str, ...], folder: Path) -> list[str]:
    """A command with values for what it needs: good ones, so that only the database is wrong."""
    command: click.Command = main
    for word in words:
        assert isinstance(command, click.Group)
        command = command.commands[word]
    files = {
        "polls": POLLS_HEADER + "x,active,2023-01-23 16:14:00 UTC\n",
        "business_hours": HOURS_HEADER + "x,0,09:00:00,12:00:00\n",
        "timezones": ZONES_HEADER + "x,America/Chicago\n",
        "file": "store_id,group\nx,Brand\n",
        "addresses": "store_id,url\nx,http://127.0.0.1:1/\n",
    }
    given: list[str] = []
    for parameter in command.params:
        name = str(parameter.name)
        value = {
            "file": str(folder / "file"),
            "output": str(folder / "output"),
            "role": str(Role.VIEWER),
            "url": "postgresql://nobody@127.0.0.1:1/none",
            "email": "new@example.com",
            "after": "now",
            "target": "99.5",
            "year": "2026",
        }.get(name, "anything")
        if isinstance(parameter.type, click.Choice) and name not in {"role"}:
            value = str(parameter.type.choices[0])
        if isinstance(parameter.type, click.types.IntParamType):
            value = "1"
        if name in files and words != ("backup",):
            value = str(folder / f"{name}.csv")
            Path(value).write_text(files[name])
        if isinstance(parameter, click.Argument):
            given.append(value)
        elif name in {"yes", "load", "once"}:
            given.append(f"--{name}")
        elif (
            parameter.required
            or (words == ("import",) and name in files)
            or (words == ("forget",) and name == "after")
            or (words == ("schedules", "change") and name == "name")
        ):
            given += [parameter.opts[0], value]
    return [*words, *given]


def run(words: tuple[str, ...], folder: Path) -> Result:
    """Run a command in this process, with the database of the settings, to its end."""
    get_settings.cache_clear()
    cache.clear()
    try:
        return CliRunner().invoke(
            main, arguments(words, folder), input=f"{TYPED.get(words, PASSWORD)}\n"
        )
    finally:
        close_databases()


def check(result: Result, *, says: str = "", may_work: bool = False) -> None:
    """One sentence on standard error and exit status 2, or, where it may, success."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        traceback.print_exception(result.exception)
    assert isinstance(result.exception, SystemExit | None), result.exception
    found_something = result.exit_code == 1 and "stores checked" in result.output
    if may_work and (result.exit_code == 0 or found_something):
        return
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("restmon: ")
    assert "Traceback" not in result.output
    if says:
        assert says in line


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a database with something in every part of it."""
    made = make_workspace(tmp_path_factory.mktemp("whole"))
    with open_workspace(made):
        polls = "".join(
            f"s{store},{'active' if minute % 7 else 'inactive'},2023-01-23 1{minute // 60}:"
            f"{minute % 60:02}:00 UTC\n"
            for store in range(30)
            for minute in range(0, 300, 3)
        )
        hours = "".join(f"s{store},{day},09:00,17:00\n" for store in range(30) for day in range(7))
        made.import_now(polls, hours, "".join(f"s{n},America/Chicago\n" for n in range(30)))
        accounts.add("you@example.com", Role.OPERATOR, "correct horse battery", ())
        api_keys.make("first")
    with closing(sqlite3.connect(made.path / "restmon.db")) as found:
        found.execute("PRAGMA journal_mode = delete")
    return (made.path / "restmon.db").read_bytes()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for a database, ``restmon.db``, that the settings name. Any user may look into it:
    pytest's own belong to one user alone."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o777)
    env = make_workspace(path).env
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    (path / "data").chmod(0o777)
    yield path
    get_settings.cache_clear()
    shutil.rmtree(path)


@contextmanager
def without_privileges() -> Iterator[None]:
    """The block runs as a user whom the permissions of files stop."""
    if os.getuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def foreign(path: Path, _: bytes) -> None:
    path.write_text("this is no database, however long it may be " * 1000)


def zeros(path: Path, content: bytes) -> None:
    path.write_bytes(bytes(len(content)))


def cut_in_its_header(path: Path, content: bytes) -> None:
    path.write_bytes(content[:60])


def cut_after_a_page(path: Path, content: bytes) -> None:
    path.write_bytes(content[:PAGE])


def cut_in_half(path: Path, content: bytes) -> None:
    path.write_bytes(content[: len(content) // 2])


def first_page_of_noise(path: Path, content: bytes) -> None:
    path.write_bytes(content[:100] + random.Random(1).randbytes(PAGE - 100) + content[PAGE:])


def another_programs(path: Path, _: bytes) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE cats (name)")


def a_folder(path: Path, _: bytes) -> None:
    path.mkdir()


def later(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as found:
        found.execute(LATER)
        found.commit()


UNUSABLE: dict[Callable[[Path, bytes], None], str] = {
    foreign: "is not an SQLite database",
    zeros: "is not an SQLite database",
    cut_in_its_header: "is damaged",
    cut_after_a_page: "is damaged",
    cut_in_half: "is damaged",
    first_page_of_noise: "is damaged",
    another_programs: "belongs to another program",
    a_folder: "cannot be used",
    later: "was written by a later restmon (9999_later). Update restmon",
}
NEEDS_NONE = [("demo",)]
"""Commands that may succeed without a database."""
WITH_OTHER_WORDS = [("restore",), ("migrate-to",)]
"""Commands that say what is wrong with the database together with what they wanted with it, or
with another file before."""


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("damage", UNUSABLE, ids=lambda damage: damage.__name__)
def test_a_database_that_cannot_be_used(
    folder: Path, whole: bytes, words: tuple[str, ...], damage: Callable[[Path, bytes], None]
):
    damage(folder / "restmon.db", whole)
    result = run(words, folder)
    check(
        result,
        says="" if words in WITH_OTHER_WORDS + NEEDS_NONE else UNUSABLE[damage],
        may_work=words in NEEDS_NONE or damage is cut_in_half,
    )
    if damage is cut_in_half and words == ("backup",):
        check(result, says=f"The database {folder / 'restmon.db'} is damaged")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_empty_file_is_a_new_database(folder: Path, words: tuple[str, ...]):
    (folder / "restmon.db").touch()
    result = run(words, folder)
    check(result, may_work=True)
    assert "damaged" not in result.stderr


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_folder_that_cannot_be_made(
    folder: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    (folder / "blocker").touch()
    monkeypatch.setenv("RESTMON_DATABASE_URL", f"sqlite:///{folder}/blocker/deep/restmon.db")
    says = "" if words in WITH_OTHER_WORDS else "of the database cannot be made"
    check(run(words, folder), says=says, may_work=words in NEEDS_NONE)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("what", ["file", "file and folder", "new"])
def test_a_database_that_cannot_be_written(
    folder: Path, whole: bytes, words: tuple[str, ...], what: str
):
    path = folder / "restmon.db"
    if what != "new":
        path.write_bytes(whole)
        path.chmod(0o444)
    arguments(words, folder)  # the files that it is given
    for given in folder.glob("*.csv"):
        given.chmod(0o666)
    if what != "file":
        folder.chmod(0o555)
    before = path.read_bytes() if path.exists() else None
    with without_privileges():
        result = run(words, folder)
    check(result, may_work=what != "new" or words in NEEDS_NONE)
    assert (path.read_bytes() if path.exists() else None) == before


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_database_that_another_program_locks(
    folder: Path, whole: bytes, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sqlite.connection, "BUSY_SECONDS", 0)
    path = folder / "restmon.db"
    path.write_bytes(whole)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        result = run(words, folder)
    says = "" if words in WITH_OTHER_WORDS else "another program keeps it locked"
    check(result, says=says, may_work=words in NEEDS_NONE)


@pytest.mark.parametrize("seed", range(6))
def test_pages_that_are_damaged(folder: Path, whole: bytes, seed: int):
    """A page may be of a table that a command does not read, or hold what could be data; so a
    command may work. None fails in any other way, and a backup of damage is never made."""
    chance = random.Random(seed)
    for words in COMMANDS:
        content = bytearray(whole)
        for _ in range(3):
            begin = PAGE * chance.randrange(1, len(content) // PAGE)
            size = chance.choice([8, 200, PAGE])
            begin += chance.randrange(PAGE - size + 1)
            noise = bytes(size) if chance.random() < 0.3 else chance.randbytes(size)
            content[begin : begin + size] = noise
        path = folder / "restmon.db"
        for leftover in folder.glob("restmon.db*"):
            leftover.unlink()
        path.write_bytes(content)
        is_damaged = sqlite.find_damage(path) is not None
        result = run(words, folder)
        check(result, may_work=True)
        if words == ("backup",) and is_damaged:
            check(result, says=f"The database {path} is damaged")
            assert not (folder / "file").exists()
        (folder / "file").unlink(missing_ok=True)


@pytest.mark.parametrize("command", sorted(PROCESSES))
@pytest.mark.parametrize("damage", [foreign, later], ids=lambda damage: damage.__name__)
def test_a_process_does_not_start(
    workspace: Workspace, whole: bytes, command: str, damage: Callable[[Path, bytes], None]
):
    path = workspace.path / "other.db"
    damage(path, whole)
    done = workspace.restmon(command, env={"RESTMON_DATABASE_URL": f"sqlite:///{path}"})
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("restmon: ")
    assert UNUSABLE[damage] in line


@pytest.mark.parametrize("command", ["worker", "api"])
def test_a_queue_that_is_none(workspace: Workspace, command: str):
    path = workspace.write("q.db", "this is no queue " * 1000)
    done = workspace.restmon(command, env={"RESTMON_QUEUE_URL": f"sqlite:///{path}"})
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert f"The queue sqlite:///{path} cannot be used" in line


def test_a_later_database_is_replaced_by_an_older_backup(folder: Path, whole: bytes):
    path = folder / "restmon.db"
    later(path, whole)
    (folder / "old.db").write_bytes(whole)
    for words, status in ((["restore", str(folder / "old.db")], 2), (["--force"], 0)):
        given = words if status else ["restore", str(folder / "old.db"), *words]
        get_settings.cache_clear()
        result = CliRunner().invoke(main, given)
        close_databases()
        assert result.exit_code == status, result.output
    assert "30 stores" in result.output
    (aside,) = folder.glob("restmon.db.newer-*")
    assert aside.stat().st_size


def gone(url: str) -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"postgresql://nobody@127.0.0.1:{probe.getsockname()[1]}/restmon"


def unknown(url: str) -> str:
    return url.rpartition("/")[0] + "/nowhere"


def later_on_postgresql(url: str) -> str:
    with psycopg.connect(url) as server:
        server.execute(LATER)
    return url


def without_a_table(url: str) -> str:
    with psycopg.connect(url) as server:
        for table in ("poll_block", "audit_entry", "store", "account", "api_key", "store_group"):
            server.execute(f"DROP TABLE IF EXISTS {table} CASCADE")
    return url


def read_only(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as server:
        name = url.rpartition("/")[2].partition("?")[0]
        server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    return url


ON_POSTGRESQL: dict[Callable[[str], str], str] = {
    gone: "cannot be used: ",
    unknown: "cannot be used: ",
    later_on_postgresql: "was written by a later restmon (9999_later). Update restmon",
    without_a_table: "",
    read_only: "",
}


@pytest.mark.postgres
@pytest.mark.parametrize("damage", ON_POSTGRESQL, ids=lambda damage: damage.__name__)
def test_a_database_on_postgresql_that_cannot_be_used(
    folder: Path,
    postgres: Cluster,
    damage: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
):
    with fresh_database(postgres) as url:
        monkeypatch.setenv("RESTMON_DATABASE_URL", damage(url))
        monkeypatch.setenv("RESTMON_QUEUE_URL", "")
        for words in COMMANDS:
            on_files = words in [("backup",), ("restore",), ("migrate-to",)]
            says = "" if on_files or words in NEEDS_NONE else ON_POSTGRESQL[damage]
            check(run(words, folder), says=says, may_work=not says)


@pytest.mark.postgres
@pytest.mark.parametrize("command", sorted(PROCESSES))
def test_a_process_does_not_start_on_a_later_database_on_postgresql(
    workspace: Workspace, postgres_url: str, command: str
):
    env: dict[str, Any] = {
        "RESTMON_DATABASE_URL": later_on_postgresql(postgres_url),
        "RESTMON_QUEUE_URL": "",
    }
    done = workspace.restmon(command, env=env)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert ON_POSTGRESQL[later_on_postgresql] in line
