"""PostgreSQL servers for tests: in a folder of their own, on a free port, as a plain user."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from restmon.storage import models
from tests.support.environment import missing


def binaries() -> Path | None:
    """The folder of initdb and pg_ctl, or None."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((p.parent for p in installed), key=lambda p: int(p.parent.name), default=None)


@dataclass
class Cluster:
    """A test's own PostgreSQL server. It trusts everyone on 127.0.0.1."""

    folder: Path
    programs: Path
    port: int

    def url(self, name: str = "postgres") -> str:
        return f"postgresql://restmon@127.0.0.1:{self.port}/{name}"

    def run(self, program: str, *arguments: str) -> None:
        """Run a program of PostgreSQL. If this process is root's, run it as the owner of the
        folder."""
        owner = pwd.getpwuid(self.folder.stat().st_uid)
        as_owner = {}
        if os.geteuid() == 0:
            as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        log = self.folder / "server.log"
        done = subprocess.run(
            [str(self.programs / program), "-D", str(self.folder / "data"), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
            **as_owner,
        )
        server_log = log.read_text() if log.exists() else ""
        assert done.returncode == 0, done.stderr.decode() + server_log

    def start(self) -> None:
        self.run("pg_ctl", "-w", "-t", "120", "-l", str(self.folder / "server.log"), "start")

    def stop(self, how: str = "immediate") -> None:
        self.run("pg_ctl", "-w", "-t", "120", "-m", how, "stop")

    def crash_and_restart(self) -> None:
        """``pg_ctl restart -m immediate``: every connection breaks, the server recovers."""
        log = str(self.folder / "server.log")
        self.run("pg_ctl", "-w", "-t", "120", "-l", log, "-m", "immediate", "restart")

    def execute(self, statement: str, name: str) -> None:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))

    def create(self, name: str, template: str = "template1") -> str:
        """Make a database and return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.url(name)

    def drop(self, name: str) -> None:
        self.execute("DROP DATABASE {} WITH (FORCE)", name)


@contextmanager
def cluster(
    programs: Path, port: int, *, durable: bool = False, trusts: str = "", **settings: str
) -> Iterator[Cluster]:
    """A running server with the settings, removed at the end. ``durable``: the test makes it
    crash. ``trusts``: a network that may use it too."""
    folder = Path(tempfile.mkdtemp(prefix="restmon-postgres-"))
    if os.geteuid() == 0:
        names = {user.pw_name for user in pwd.getpwall()}
        owner = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    made = Cluster(folder, programs, port)
    try:
        made.run("initdb", "-U", "restmon", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = {
            "listen_addresses": "'127.0.0.1'",
            "port": str(port),
            "unix_socket_directories": f"'{folder}'",
            "shared_buffers": "64MB",
            "max_connections": "200",
        }
        if not durable:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options |= settings
        with (folder / "data" / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = {value}\n" for name, value in options.items())
        if trusts:
            with (folder / "data" / "pg_hba.conf").open("a") as allowed:
                allowed.write(f"host all all {trusts} trust\n")
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def postgres_programs() -> Path:
    """The folder of PostgreSQL's programs. Skips the test if there is none."""
    programs = binaries()
    if programs is None:
        missing("postgres", "there is no initdb on the PATH or in /usr/lib/postgresql")
    assert programs
    return programs


@contextmanager
def fresh_database(server: Cluster) -> Iterator[str]:
    """The URL of a new restmon database on PostgreSQL, dropped at the end."""
    name = f"test_{models.new_id()}"
    yield server.create(name, "restmon_template")
    server.drop(name)
