"""The encryption of addresses and secrets of channels, with one key for the whole installation.

On PostgreSQL several machines need the one key. A fingerprint of it is in the database, so that a
machine with another one is told at once, and none makes a key of its own.
"""

import base64
import hashlib
import hmac
import logging
import os
from functools import lru_cache
from pathlib import Path

from restmon.errors import RestmonError
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.access_models import Fact
from restmon.storage.models import now
from restmon.storage.notify_models import Channel

log = logging.getLogger("restmon.notify")
KEY_FILE = "secret.key"
FINGERPRINT = "key:"
LONGEST_FACT = 32


class KeyChanged(RestmonError):
    """What is stored was encrypted with another key."""

    code = "key_changed"


def encrypt(text: str) -> str:
    """The text, encrypted. Makes the key where there is none yet. Raises RestmonError if its file
    cannot be read or written."""
    from cryptography.fernet import Fernet  # noqa: PLC0415 - front doors start without it

    return Fernet(_own_key(record=True)).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text of `encrypt`. Raises KeyChanged if the key is another one."""
    text = _try_key(_own_key(), token)
    if text is None:
        raise KeyChanged(
            "The address was encrypted with another key, so it cannot be read.",
            "Set RESTMON_SECRET_KEY to the former key, or enter the address again.",
        )
    return text


def _try_key(key: bytes, token: str) -> str | None:
    """The text of a token; None if it was made with another key."""
    from cryptography.fernet import Fernet, InvalidToken  # noqa: PLC0415

    try:
        return Fernet(key).decrypt(token.encode()).decode()
    except InvalidToken:
        return None


def check_key() -> None:
    """Raise KeyChanged if channels were entered with another key than this machine's, on
    PostgreSQL. Records the key's fingerprint where there is none yet."""
    if not files.in_database():
        return
    with database.session():
        if Channel.select(Channel.id).limit(1).exists():
            _own_key(record=True)


def warn_of_key() -> None:
    """Log in one sentence that `check_key` raises KeyChanged: for processes that do other work
    without the key."""
    try:
        check_key()
    except KeyChanged as error:
        log.warning("%s", error)


def _own_key(*, record: bool = False) -> bytes:
    """This machine's key. Raises KeyChanged, on PostgreSQL, if the installation has another one;
    ``record``: puts it on record as the installation's if there is none."""
    given, path = get_settings().secret_key, _file()
    if not files.in_database():
        return _key(given, path)
    with database.session():
        known = _find_fingerprint()
        channel = Channel.select(Channel.url).order_by(Channel.id).first()
        if channel is not None and not given and not path.exists():
            raise _explain_other_key("This machine has no key")
        key = _key(given, path)
        if known is not None and known != _fingerprint(key):
            if channel is not None:
                raise _explain_other_key("This machine has another key than the one")
            known = None  # nothing is left that was encrypted with it
        elif known is None and channel is not None and _try_key(key, channel.url) is None:
            raise _explain_other_key("This machine has another key than the one")
        if known is None and record:
            Fact.delete().where(Fact.name.startswith(FINGERPRINT)).execute()
            Fact.insert(name=_fingerprint(key), since=now()).on_conflict_ignore().execute()
    return key


def _find_fingerprint() -> str | None:
    found = Fact.select(Fact.name).where(Fact.name.startswith(FINGERPRINT))
    first = found.order_by(Fact.since, Fact.name).first()
    return None if first is None else str(first.name)


def _fingerprint(key: bytes) -> str:
    """What is on record of a key, from which it cannot be found."""
    digest = hmac.new(key, b"fingerprint", hashlib.sha256).hexdigest()
    return f"{FINGERPRINT}{digest}"[:LONGEST_FACT]


def _explain_other_key(what: str) -> KeyChanged:
    return KeyChanged(
        f"{what} with which the addresses of the channels were encrypted.",
        "Set RESTMON_SECRET_KEY to one key on every machine: the content of secret.key in the data "
        "folder of the machine on which the first channel was entered. If that is lost, delete the "
        "channels (python -m restmon alerts delete-channel) and enter them again.",
    )


def _file() -> Path:
    return get_settings().data_dir / KEY_FILE


@lru_cache(maxsize=4)
def _key(given: str, path: Path) -> bytes:
    return given.encode() if given else _read_or_make(path)


def _read_or_make(path: Path) -> bytes:
    """The key in a file that nobody else may read. Of several processes that make it at once, the
    first one's counts."""
    from cryptography.fernet import Fernet  # noqa: PLC0415

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}.part")
        if not path.exists():
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(Fernet.generate_key())
                file.flush()
                os.fsync(file.fileno())
            try:
                path.hardlink_to(part)
            except FileExistsError:
                pass
            finally:
                part.unlink()
        return path.read_bytes().strip()
    except OSError as error:
        raise RestmonError(
            f"The file {path} cannot be used: {error.strerror or error}.",
            "Make the data folder writable, or set RESTMON_SECRET_KEY.",
        ) from None


def derive_token(name: str) -> str:
    """A token that only this installation can make of a name, the same each time."""
    key = _own_key()
    digest = hmac.new(key, name.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
