"""The addresses of channels: URLs of Apprise, whose host and settings are checked.

No error of this module, nor any log, repeats more of an address than its scheme.
"""

import logging
import re
import socket
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from restmon.errors import BadRequest
from restmon.notify import mail_server
from restmon.notify.public_addresses import Address, may_be_asked, read_address
from restmon.settings import get_settings

MAIL = frozenset({"mailto", "mailtos"})
LOCAL = frozenset(
    {"dbus", "kde", "qt", "glib", "gnome", "macosx", "windows", "growl"}
    | {"syslog", "rsyslog", "rsyslogs", "file"}
)
"""Schemes of Apprise that write on this machine."""
PLAIN_HTTP = frozenset(
    {"json", "jsons", "xml", "xmls", "form", "forms", "apprise", "apprises", "http", "https"}
)
"""Schemes that are requests to any address: webhooks, which are guarded, take their place."""
SCHEME = re.compile(r"[a-z][a-z0-9+.-]{1,31}")
LONGEST = 2000
SECONDS = 20
FILES = re.compile(r"(?:file:|[/~]|\.\.?/|[a-z]:\\)", re.IGNORECASE)
SILENT = ("apprise", "requests", "urllib3", "httpx", "httpcore")
"""Libraries whose logs may hold addresses."""


class ChannelRefused(BadRequest):
    """A channel that must not be used as it is. Trying again does not help."""

    code = "channel_refused"


def find_scheme(url: str) -> str:
    """The scheme of an address, in small letters. Raises BadRequest if it has none."""
    scheme = url.partition("://")[0].lower()
    if "://" not in url or not SCHEME.fullmatch(scheme):
        raise BadRequest(
            "The address of the channel does not begin with a scheme.",
            "Write a mail address, or an address of Apprise, such as slack://…",
        )
    return scheme


def check(url: str) -> str:
    """The scheme of an address that can be used now, "mail" for plain mail addresses. Raises
    BadRequest, ChannelRefused."""
    if mail_server.is_plain(url):
        read(url)
        return mail_server.SCHEME
    scheme = find_scheme(url)
    if scheme in LOCAL:
        raise BadRequest(f"{scheme}:// writes on the machine of restmon itself.", "Use another.")
    if scheme in PLAIN_HTTP:
        raise BadRequest(
            f"{scheme}:// sends to any web address.", "Make a webhook instead: it is signed."
        )
    if len(url) > LONGEST:
        raise BadRequest(f"The address of the channel is longer than {LONGEST} characters.")
    _check_text(url, scheme)
    service = read(url)
    if scheme not in MAIL and len(service) > 1:
        raise BadRequest(
            f"The {scheme}:// address names {len(service)} recipients.",
            "Add a channel for each: if one does not take a message, the others get it once.",
        )
    return scheme


def _check_text(url: str, scheme: str) -> None:
    decoded = url
    for _ in range(3):
        if any(not letter.isprintable() for letter in decoded):
            raise BadRequest(
                f"The {scheme}:// address holds a line break or another control character.",
                "Write it on one line.",
            )
        decoded = unquote(decoded)
    try:
        settings = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    except ValueError:
        settings = []
    for name, value in settings:
        if FILES.match(unquote(value)):
            raise BadRequest(
                f"The setting {name[:40]!r} of the {scheme}:// address names a file.",
                "Leave it out.",
            )


def read(url: str) -> Any:
    """The service of Apprise that an address stands for. Raises BadRequest if there is none, and
    ChannelRefused if its host is in the own network and not the operator's mail server."""
    is_plain = mail_server.is_plain(url)
    if is_plain:
        url = mail_server.expand(url)
    for name in SILENT:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # Importing it takes a tenth of a second, and only a worker and a form need it.
    from apprise import Apprise, AppriseAsset  # noqa: PLC0415

    scheme = find_scheme(url)
    asset = AppriseAsset(
        app_id="restmon",
        app_desc="restmon",
        app_url="",
        http_redirects=False,
        service_timeout=SECONDS,
        allow_templates=False,
        storage_mode="memory",
        pgp_autogen=False,
        pem_autogen=False,
        async_mode=False,
    )
    try:
        service = Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    except Exception:
        service = None
    if service is None:
        known = scheme in _schemes()
        raise BadRequest(
            f"The {scheme}:// address is not complete, or a part of it is not valid."
            if known
            else f"There is no service with the scheme {scheme}://.",
            "Apprise's documentation has the form of each service's address.",
        )
    service.redirects = False
    host = host_of(service)
    if host:
        find_address(host, is_trusted=is_plain)
    return service


def _schemes() -> frozenset[str]:
    from apprise import Apprise  # noqa: PLC0415

    return frozenset(
        name
        for entry in Apprise().details()["schemas"]
        for name in [*(entry["protocols"] or ()), *(entry["secure_protocols"] or ())]
    )


def host_of(service: Any) -> str:
    """The host that a service connects to where its address names it, else ""."""
    if "host" not in getattr(service, "template_tokens", {}):
        return ""
    return str(getattr(service, "smtp_host", "") or getattr(service, "host", "") or "")


def find_address(host: str, *, is_trusted: bool = False) -> Address:
    """The first address of a host. Raises ChannelRefused if any of them is in the own network and
    not allowed by a setting, unless the operator has named the host (``is_trusted``), and
    BadRequest if there is none."""
    found = [read_address(host)]
    if found[0] is None:
        try:
            entries = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            found = [read_address(str(entry[4][0]).partition("%")[0]) for entry in entries]
        except (OSError, UnicodeError):
            found = []
    addresses = [address for address in found if address is not None]
    if not addresses:
        raise BadRequest("The host of the channel's address was not found.", "Correct its name.")
    if not is_trusted and not all(
        may_be_asked(one, get_settings().webhook_networks) for one in addresses
    ):
        raise ChannelRefused(
            "The host of the channel's address is this machine or in a private network.",
            "An operator can allow it with the setting RESTMON_ALLOW_PRIVATE_WEBHOOKS.",
        )
    return addresses[0]
