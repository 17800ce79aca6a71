"""The environment (and `.env`), read once into typed settings."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from restmon.errors import SettingsError

POSTGRESQL = "postgresql"
JSON_LOG = "json"
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """All settings, each from the environment variable ``RESTMON_<NAME>`` or from `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="RESTMON_", env_file=".env", env_file_encoding="utf-8", extra="ignore"
    )

    database_url: str = Field(
        "sqlite:///data/restmon.db",
        description="Where stores, polls and reports are kept: `sqlite:///path` or "
        "`postgresql://user:password@host:port/database`.",
    )
    queue_url: str = Field(
        "",
        description="Huey's queue: `sqlite:///path`, `postgresql://…` or `redis://host:port/db`. "
        "Unset: the PostgreSQL database, or a SQLite file beside the SQLite one.",
    )
    data_dir: Path = Field(
        Path("data"), description="Folder of report CSVs, rejected lines and spooled uploads."
    )
    import_dir: Path | None = Field(
        None,
        description="Folder that `POST /import_data` without a body imports. Unset: the data "
        "folder.",
    )
    api_host: str = Field("127.0.0.1", description="Address the API listens on.")
    api_port: Port = Field(8000, description="Port the API listens on.")
    dashboard_host: str = Field("127.0.0.1", description="Address the dashboard listens on.")
    dashboard_port: Port = Field(8501, description="Port the dashboard listens on.")
    workers: int = Field(2, ge=1, le=64, description="Threads of one worker process.")
    log_format: Literal["text", "json"] = Field(
        "text", description="Form of the log's lines: `text` or `json`."
    )
    shard_stores: int = Field(
        20_000,
        ge=1,
        description="A report of more stores than this is computed in parts of so many, by all "
        "workers.",
    )
    max_upload_mb: int = Field(
        1024, ge=1, description="The largest upload: a request to the API, a file on the dashboard."
    )
    max_file_mb: int = Field(
        16_384, ge=1, description="The largest file that is imported, once it is unpacked."
    )
    max_lines: int = Field(
        200_000_000, ge=1, description="The most lines of one file that is imported."
    )
    max_job_minutes: int = Field(
        60, ge=1, description="A report or an import that takes longer is given up."
    )
    retention_days: int | None = Field(
        None,
        ge=30,
        description="Polls older than this many days before the newest one are deleted nightly. "
        "Unset: all are kept.",
    )

    @field_validator("database_url")
    @classmethod
    def _database_scheme(cls, value: str) -> str:
        scheme = urlsplit(value).scheme
        if scheme == POSTGRESQL:
            return checked_postgresql(value)
        if scheme != "sqlite":
            raise ValueError(
                "write it as sqlite:///path/to/file.db or postgresql://user@host/database"
            )
        if not sqlite_path(value):
            raise ValueError("it names no file; write it as sqlite:///path/to/file.db")
        return value

    @field_validator("queue_url")
    @classmethod
    def _queue_scheme(cls, value: str) -> str:
        scheme = urlsplit(value).scheme
        if scheme == POSTGRESQL:
            return checked_postgresql(value)
        if value and scheme not in {"sqlite", "redis", "rediss"}:
            raise ValueError(
                "write it as sqlite:///path/to/file.db, postgresql://user@host/database "
                "or redis://host:port/0"
            )
        return value

    @field_validator("import_dir", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is an SQLite file, not on a PostgreSQL server."""
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
    """The address to open in a browser of what listens there."""
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - names of "any address", not a bind  # nosec B104
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def checked_postgresql(url: str) -> str:
    """The URL; raises ValueError when libpq cannot read it or it names no database."""
    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError as error:
        why = str(error).strip()
        raise ValueError(f"{why}; write it as postgresql://user@host/database") from None
    if not parts.get("dbname"):
        raise ValueError("it names no database; write it as postgresql://user@host/database")
    return url


def shown_url(url: str) -> str:
    """A URL as it may be shown: without its password."""
    shown = re.sub(r"(://[^/@:]*):[^/]*@", r"\1:***@", url)
    return re.sub(r"([?&]password=)[^&]*", r"\1***", shown)


def sqlite_path(url: str) -> str:
    """The file path of a ``sqlite:///path`` URL ("" when it names none)."""
    rest = url.split("://", 1)[1].split("?", 1)[0] if "://" in url else ""
    return rest[1:] if rest.startswith("/") else ""


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process; raises :class:`SettingsError` naming the wrong variable."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = "RESTMON_" + "_".join(str(part) for part in first["loc"]).upper()
        why = str(first["msg"]).removeprefix("Value error, ")
        given = first["input"]
        shown = shown_url(given) if isinstance(given, str) else given
        raise SettingsError(
            f"The setting {name}={shown!r} cannot be used: {why}.",
            "Correct it in the environment or in .env (README lists every setting).",
        ) from None
