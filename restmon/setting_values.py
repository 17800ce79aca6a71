"""The values of settings: parsers of their texts. Each raises ValueError for a text that it cannot
use."""

import base64
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

POSTGRESQL = "postgresql"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
EVERYWHERE: tuple[Network, ...] = (
    ipaddress.IPv4Network("0.0.0.0/0"),
    ipaddress.IPv6Network("::/0"),
)
INTEGER = re.compile(r"\s*([+-]?\d+(?:_\d+)*)(?:\.0+)?\s*", re.ASCII)


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


def allowed_networks(value: str) -> str:
    """``yes``, ``no`` or a list of networks. Raises ValueError for other text."""
    parse_allowed(value)
    return value


def parse_allowed(text: str) -> tuple[Network, ...]:
    """The networks of a list; all of them for ``yes``, none for ``no``. Raises ValueError, which
    names the first part that is neither an address nor a network."""
    word = text.strip().lower()
    return EVERYWHERE if word == "yes" else () if word == "no" else parse_networks(text)


def secret_key(value: str) -> str:
    """A key of Fernet, or "". Raises ValueError for other text, which it does not repeat."""
    try:
        if value and len(base64.urlsafe_b64decode(value.encode("ascii"))) != 32:
            raise ValueError
    except ValueError:
        raise ValueError("it is no key of 32 bytes in base64 with - and _") from None
    return value


def mail_server(value: str) -> str:
    """An address of Apprise for a mail server, without recipients, or "". Raises ValueError for
    other text, which it does not repeat: it may hold a password."""
    parts = urlsplit(value)
    names = {name for name, _ in parse_qsl(parts.query)}
    odd = not value.isprintable() or " " in value or parts.fragment or "to" in names
    if value and (odd or parts.scheme not in {"mailto", "mailtos"} or not parts.hostname):
        raise ValueError("write it as mailtos://user:password@smtp.example.com?from=me@example.com")
    return value


def public_address(value: str) -> str:
    """The address of the dashboard without a slash at its end, or "". Raises ValueError for other
    text."""
    parts = urlsplit(value)
    odd = parts.query or parts.fragment or not value.isprintable() or " " in value
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname or odd):
        raise ValueError("write it as https://restmon.example.com")
    return value.rstrip("/")


def currency_sign(value: str) -> str:
    """A sign such as ``$`` or ``CHF``; raises ValueError for what is too long or empty."""
    if not 0 < len(value.strip()) <= 6:
        raise ValueError("write a sign of one to six letters, such as $ or EUR")
    return value.strip()
