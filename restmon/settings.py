"""The environment (and `.env`), read once into typed settings."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from restmon.errors import SettingsError
from restmon.setting_values import (
    Network,
    allowed_networks,
    currency_sign,
    database_address,
    folder_or_unset,
    integer,
    mail_server,
    networks_text,
    one_of,
    parse_allowed,
    parse_networks,
    public_address,
    queue_address,
    secret_key,
    sqlite_path,
    text,
)

JSON_LOG = "json"
ENV_FILE = "RESTMON_ENV_FILE"
PREFIX = "RESTMON_"
SECRET = frozenset({"RESTMON_SECRET_KEY", "RESTMON_MAIL_SERVER"})
"""Settings whose values are never shown."""
PARSE, DESCRIPTION = "parse", "description"


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
        description="Folder of uploads while they arrive; on SQLite also of waiting uploads, "
        "reports, documents and rejected lines, which PostgreSQL has in the database.",
    )
    import_dir: Path | None = setting(  # noqa: RUF009
        None,
        parse=folder_or_unset,
        description="Folder that `POST /import_data` without a body imports. Unset: the data "
        "folder.",
    )
    watch_dir: Path | None = setting(  # noqa: RUF009
        None,
        parse=folder_or_unset,
        description="Folder whose files the worker imports by itself (docs/LIVE.md). Unset: none.",
    )
    api_host: str = setting("127.0.0.1", description="Address the API listens on.")
    api_port: int = setting(8000, parse=port, description="Port the API listens on.")
    dashboard_host: str = setting("127.0.0.1", description="Address the dashboard listens on.")
    dashboard_port: int = setting(8501, parse=port, description="Port the dashboard listens on.")
    public_url: str = setting(
        "",
        parse=public_address,
        description="The address at which people open the dashboard, such as "
        "`https://restmon.example.com`, for the links in messages. Unset: its host and port.",
    )
    secret_key: str = setting(
        "",
        parse=secret_key,
        description="The key that encrypts addresses and secrets of channels: 32 bytes in base64. "
        "Unset: `secret.key` in the data folder, which is made when it is needed.",
    )
    mail_server: str = setting(
        "",
        parse=mail_server,
        description="The server that sends mail to channels that are a plain mail address: "
        "`mailtos://user:password@smtp.example.com?from=restmon@example.com` (`mailto://` without "
        "encryption). It may be in a private network. Unset: each channel names its own server.",
    )
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
    public_requests_per_minute: int = setting(
        60,
        parse=integer(1),
        description="How many requests an address may send to public status pages in a minute.",
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
    paper: str = setting(
        "letter",
        parse=one_of("letter", "a4"),
        description="The paper of PDF documents, where none is chosen: `letter` or `a4`.",
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
        description="Reports and documents that ended this many days ago are deleted nightly.",
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

    allow_private_webhooks: str = setting(
        "no",
        parse=allowed_networks,
        description="Which addresses that are not public webhooks may go to: `no`, `yes` (this "
        "machine and every private network), or addresses and networks, separated by commas.",
    )

    allow_private_polls: str = setting(
        "no",
        parse=allowed_networks,
        description="Which addresses that are not public `python -m restmon poll` may ask, such as "
        "a router in the same network: `no`, `yes`, or addresses and networks, separated by "
        "commas.",
    )

    @cached_property
    def polled_networks(self) -> tuple[Network, ...]:
        """The networks that the checker may ask although they are not public."""
        return parse_allowed(self.allow_private_polls)

    @cached_property
    def webhook_networks(self) -> tuple[Network, ...]:
        """The networks that webhooks may go to although they are not public."""
        return parse_allowed(self.allow_private_webhooks)

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
    def documents_dir(self) -> Path:
        """Folder of the documents' files, one `<document_id>.pdf`, `.xlsx` or `.csv` each."""
        return self.data_dir / "documents"

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

    @property
    def link_url(self) -> str:
        """What links in messages begin with: the public address, or else the dashboard's."""
        return self.public_url or self.dashboard_url


def _address(host: str, port: int) -> str:
    """The address for a browser of the server that listens there."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - names of "any address", not a bind  # nosec B104
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def shown_url(url: str) -> str:
    """A URL without its password, to show."""
    shown = re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", shown)


def _shown_setting(name: str, value: str) -> str:
    """A setting as an error shows it."""
    return name if name in SECRET else f"{name}={shown_url(value)!r}"


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
                f"The setting {_shown_setting(name, given[name])} cannot be used: {error}.",
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
