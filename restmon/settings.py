"""The environment (and `.env`), read once into typed settings."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dotenv import dotenv_values

from restmon.errors import SettingsError

POSTGRESQL = "postgresql"
JSON_LOG = "json"
ENV_FILE = "RESTMON_ENV_FILE"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PREFIX = "RESTMON_"
INTEGER = re.compile(r"\s*([+-]?\d+(?:_\d+)*)(?:\.0+)?\s*", re.ASCII)
PARSE, DESCRIPTION = "parse", "description"


def text(value: str) -> str:
    """Any text."""
    return value


def folder_or_unset(value: str) -> Path | None:
    """A folder; nothing leaves it unset."""
    return Path(value) if value else None


def integer(at_least: int, at_most: int | None = None) -> Callable[[str], int]:
    """A parser of whole numbers in a range; it raises ValueError for others."""

    def parse(value: str) -> int:
        match = INTEGER.fullmatch(value)
        if not match:
            raise ValueError(
                "Input should be a valid integer, unable to parse string as an integer"
            )
        number = int(match[1])
        if number < at_least:
            raise ValueError(f"Input should be greater than or equal to {at_least}")
        if at_most is not None and number > at_most:
            raise ValueError(f"Input should be less than or equal to {at_most}")
        return number

    return parse


def one_of(first: str, second: str) -> Callable[[str], str]:
    """A parser of one of two words; it raises ValueError for others."""

    def parse(value: str) -> str:
        if value not in {first, second}:
            raise ValueError(f"Input should be {first!r} or {second!r}")
        return value

    return parse


def checked_postgresql(url: str) -> str:
    """The URL. Raises ValueError if libpq cannot read it or it names no database."""
    from psycopg import ProgrammingError  # noqa: PLC0415 - SQLite does not need psycopg
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        why = str(error).strip()
        raise ValueError(f"{why}; write it as postgresql://user@host/database") from None
    if not parts.get("dbname"):
        raise ValueError("it names no database; write it as postgresql://user@host/database")
    return url


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks in a list of addresses and networks, separated by commas. Raises ValueError,
    which names the first part that is neither."""
    found: list[Network] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError:
            raise ValueError(
                f"{part[:60]!r} is neither an address nor a network (such as 10.0.0.0/8)"
            ) from None
    return tuple(found)


def sqlite_path(url: str) -> str:
    """The file path of a ``sqlite:///path`` URL ("" when it names none)."""
    rest = url.split("://", 1)[1].split("?", 1)[0] if "://" in url else ""
    return rest[1:] if rest.startswith("/") else ""


def database_address(value: str) -> str:
    """The URL of a database. Raises ValueError for other text."""
    scheme = urlsplit(value).scheme
    if scheme == POSTGRESQL:
        return checked_postgresql(value)
    if scheme != "sqlite":
        raise ValueError("write it as sqlite:///path/to/file.db or postgresql://user@host/database")
    if not sqlite_path(value):
        raise ValueError("it names no file; write it as sqlite:///path/to/file.db")
    return value


def queue_address(value: str) -> str:
    """The URL of a queue, or "". Raises ValueError for other text."""
    scheme = urlsplit(value).scheme
    if scheme == POSTGRESQL:
        return checked_postgresql(value)
    if value and scheme not in {"sqlite", "redis", "rediss"}:
        raise ValueError(
            "write it as sqlite:///path/to/file.db, postgresql://user@host/database "
            "or redis://host:port/0"
        )
    return value


def networks_text(value: str) -> str:
    """A list of networks, unchanged. Raises ValueError for other text."""
    parse_networks(value)
    return value


def currency_sign(value: str) -> str:
    """A sign such as ``$`` or ``CHF``; raises ValueError for what is too long or empty."""
    if not 0 < len(value.strip()) <= 6:
        raise ValueError("write a sign of one to six letters, such as $ or EUR")
    return value.strip()


def setting(default: Any, *, parse: Callable[[str], Any] = text, description: str) -> Any:
    """A field of `Settings`: its default, the parser of its text, and its description in README."""
    return field(default=default, metadata={PARSE: parse, DESCRIPTION: description})


port = integer(1, 65535)


@dataclass(frozen=True)
class Settings:
    """All settings, each from the environment variable ``RESTMON_<NAME>`` or from `.env`.

    pydantic-settings would do the same, but importing it takes a third of a small report's time.
    """

    database_url: str = setting(
        "sqlite:///data/restmon.db",
        parse=database_address,
        description="Where stores, polls and reports are kept: `sqlite:///path` or "
        "`postgresql://user:password@host:port/database`.",
    )
    queue_url: str = setting(
        "",
        parse=queue_address,
        description="Huey's queue: `sqlite:///path`, `postgresql://…` or `redis://host:port/db`. "
        "Unset: the PostgreSQL database, or a SQLite file beside the SQLite one.",
    )
    data_dir: Path = setting(  # noqa: RUF009 (it returns a field)
        Path("data"),
        parse=Path,
        description="Folder of report CSVs, rejected lines and spooled uploads.",
    )
    import_dir: Path | None = setting(  # noqa: RUF009
        None,
        parse=folder_or_unset,
        description="Folder that `POST /import_data` without a body imports. Unset: the data "
        "folder.",
    )
    api_host: str = setting("127.0.0.1", description="Address the API listens on.")
    api_port: int = setting(8000, parse=port, description="Port the API listens on.")
    dashboard_host: str = setting("127.0.0.1", description="Address the dashboard listens on.")
    dashboard_port: int = setting(8501, parse=port, description="Port the dashboard listens on.")
    trusted_proxies: str = setting(
        "",
        parse=networks_text,
        description="Addresses and networks of proxies, separated by commas, whose "
        "`X-Forwarded-For`, `-Proto` and `-Host` are believed. Unset: nobody's are.",
    )
    workers: int = setting(2, parse=integer(1, 64), description="Threads of one worker process.")
    log_format: str = setting(
        "text",
        parse=one_of("text", JSON_LOG),
        description="Form of the log's lines: `text` or `json`.",
    )
    shard_stores: int = setting(
        20_000,
        parse=integer(1),
        description="A report of more stores than this is computed in parts of so many, by all "
        "workers.",
    )
    requests_per_minute: int = setting(
        1200, parse=integer(1), description="How many requests an API key may send in a minute."
    )
    max_upload_mb: int = setting(
        1024,
        parse=integer(1),
        description="The largest upload: a request to the API, a file on the dashboard.",
    )
    max_file_mb: int = setting(
        16_384,
        parse=integer(1),
        description="The largest file that is imported, once it is unpacked.",
    )
    max_lines: int = setting(
        200_000_000, parse=integer(1), description="The most lines of one file that is imported."
    )
    max_ahead_minutes: int = setting(
        15,
        parse=integer(0),
        description="Polls later than this many minutes after the clock of the machine that "
        "imports them are rejected.",
    )
    covered_minutes: int = setting(
        90,
        parse=integer(1, 1440),
        description="Open time at most this many minutes from an observation counts as covered.",
    )
    clock: str = setting(
        "12",
        parse=one_of("12", "24"),
        description="How times of day are written: `12` (5:30 PM) or `24` (17:30).",
    )
    currency: str = setting(
        "$", parse=currency_sign, description="The sign of the currency of estimated sales."
    )
    metrics_groups: int = setting(
        50,
        parse=integer(0, 10_000),
        description="How many groups `/metrics` tells about at most: those with the most stores.",
    )
    max_job_minutes: int = setting(
        60, parse=integer(1), description="A report or an import that takes longer is given up."
    )
    retention_days: int | None = setting(
        None,
        parse=integer(30),
        description="Polls older than this many days before the newest one, or before the clock "
        "if that is earlier, are deleted nightly. Unset: all are kept.",
    )
    keep_reports_days: int = setting(
        90,
        parse=integer(1),
        description="Reports that ended this many days ago are deleted nightly.",
    )
    keep_imports_days: int = setting(
        365,
        parse=integer(1),
        description="Records of imports that ended this many days ago, and their rejected lines, "
        "are deleted nightly; what they imported stays.",
    )
    keep_undo_days: int = setting(
        30,
        parse=integer(1),
        description="Imports can be undone for this many days; what they replaced is deleted "
        "nightly after that.",
    )
    keep_audit_days: int = setting(
        730,
        parse=integer(30),
        description="Audit entries of this many days ago are deleted nightly; `python -m restmon "
        "audit --format csv --output FILE` exports them before.",
    )

    @cached_property
    def trusted_networks(self) -> tuple[Network, ...]:
        """The networks of the proxies whose headers are believed."""
        return parse_networks(self.trusted_proxies)

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is an SQLite file, and not on a PostgreSQL server."""
        return self.database_url.startswith("sqlite")

    @property
    def database_path(self) -> Path:
        """The SQLite file of the database."""
        return Path(sqlite_path(self.database_url))

    @property
    def effective_queue_url(self) -> str:
        """The queue's URL, the default spelled out."""
        if self.queue_url:
            return self.queue_url
        if not self.uses_sqlite:
            return self.database_url
        path = self.database_path
        return f"sqlite:///{path.with_name(path.stem + '-queue.db')}"

    @property
    def effective_import_dir(self) -> Path:
        """The folder that an import without files reads."""
        return self.import_dir or self.data_dir

    @property
    def reports_dir(self) -> Path:
        """Folder of the reports' CSV files, one `<report_id>.csv` each."""
        return self.data_dir / "reports"

    @property
    def spool_dir(self) -> Path:
        """Folder of uploads that wait for the worker and of an import's intermediate files."""
        return self.data_dir / "spool"

    @property
    def rejected_dir(self) -> Path:
        """Folder of the imports' rejected lines, one `<import_id>.csv` each."""
        return self.data_dir / "rejected"

    @property
    def api_url(self) -> str:
        """The address people can open the API at."""
        return _address(self.api_host, self.api_port)

    @property
    def dashboard_url(self) -> str:
        """The address people can open the dashboard at."""
        return _address(self.dashboard_host, self.dashboard_port)


def _address(host: str, port: int) -> str:
    """The address for a browser of the server that listens there."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - names of "any address", not a bind  # nosec B104
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def shown_url(url: str) -> str:
    """A URL without its password, to show."""
    shown = re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", shown)


def settings_file() -> Path:
    """The file that holds settings: the one that RESTMON_ENV_FILE names, or else `.env` here.

    Raises SettingsError if the named one cannot be read, because the defaults may mean another
    database."""
    named = os.environ.get(ENV_FILE, "")
    path = Path(named or ".env")
    try:
        if named or path.exists():
            path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        hint = f"Correct {ENV_FILE}, or run it as the service does: sudo restmon." if named else ""
        raise SettingsError(
            f"The settings in {path} cannot be read: {why}.", hint or "Correct that file."
        ) from None
    return path


def read_settings(variables: Mapping[str, str | None], source: object = "") -> Settings:
    """The settings in variables, whose names may be in small letters.

    Raises :class:`SettingsError`, which names the first wrong variable, and ``source`` as the file
    to correct.
    """
    given = {name.upper(): value for name, value in variables.items() if value is not None}
    values: dict[str, Any] = {}
    for entry in fields(Settings):
        name = PREFIX + entry.name.upper()
        if name not in given:
            continue
        try:
            values[entry.name] = entry.metadata[PARSE](given[name])
        except ValueError as error:
            raise SettingsError(
                f"The setting {name}={shown_url(given[name])!r} cannot be used: {error}.",
                f"Correct it in the environment or in {source} (README lists every setting).",
            ) from None
    return Settings(**values)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process. Raises :class:`SettingsError`, which names the wrong
    variable."""
    path = settings_file()
    in_file = {name.upper(): value for name, value in dotenv_values(path).items()}
    in_environment = {name.upper(): value for name, value in os.environ.items()}
    return read_settings({**in_file, **in_environment}, path)
