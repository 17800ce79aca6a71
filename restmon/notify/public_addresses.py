"""Which addresses a request from here into the internet may go to."""

import ipaddress
import re
from collections.abc import Iterable

import httpx

from restmon.errors import BadRequest
from restmon.setting_values import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?")
NUMBER = re.compile(r"(0x[0-9a-f]*|\d+)\.?")
LONGEST_NAME, LONGEST_URL = 253, 2000
PORTS = {"http": 80, "https": 443}

# What the ipaddress module of Python 3.11 calls global, or has no word for.
NOT_PUBLIC_4 = tuple(
    map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
)
"""Protocol assignments, 6to4's relays, and the metadata server of Azure."""
PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_6 = tuple(
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
"""Teredo and protocol assignments, examples, 6to4, examples."""
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefused(BadRequest):
    """A URL that no request may be sent to. Sending again does not help."""

    code = "address_refused"


def is_public(address: Address) -> bool:
    """Whether an address is one host of the internet: not of this machine, of a private or
    link-local network, of a cloud's metadata, multicast, reserved, or a spelling of such a one."""
    if isinstance(address, ipaddress.IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not address.is_reserved
            and not any(address in network for network in NOT_PUBLIC_4)
        )
    if address in NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in PUBLIC_6 and not any(address in network for network in NOT_PUBLIC_6)


def may_be_asked(address: Address, allowed: Iterable[Network]) -> bool:
    """Whether a request may go to an address: it is public, or in one of the allowed networks."""
    plain = getattr(address, "ipv4_mapped", None) or address
    return is_public(address) or any(
        plain in network for network in allowed if network.version == plain.version
    )


def read_address(text: str) -> Address | None:
    """The address in a text such as ``203.0.113.7`` or ``2001:db8::1``; None for other text."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def read_url(text: str) -> httpx.URL:
    """The URL of a text, with http or https, a plain host, and without a user.

    Raises AddressRefused, which says what is wrong with it and repeats nothing of it but its host:
    paths and users hold secrets.
    """
    if len(text) > LONGEST_URL:
        raise AddressRefused(f"The address is longer than {LONGEST_URL} characters.")
    try:
        url = httpx.URL(text)
        host = url.raw_host.decode("ascii")
    except (httpx.InvalidURL, TypeError, ValueError):
        raise AddressRefused(
            "The address cannot be read.", "Write it as https://host.example/path."
        ) from None
    if url.scheme not in PORTS or not host:
        raise AddressRefused(
            "The address begins with neither https:// nor http:// and a host.",
            "Write it as https://host.example/path.",
        )
    if url.userinfo:
        raise AddressRefused("The address names a user.", "Leave out what stands before the @.")
    if "\\" in text:
        raise AddressRefused("The address contains a backslash.", "Write / instead.")
    if url.port is not None and not 0 < url.port < 65536:
        raise AddressRefused("The port of the address is not from 1 to 65535.")
    if read_address(host) is None:
        _check_name(host)
    return url


def _check_name(host: str) -> None:
    """Raise AddressRefused for a host that is no name: 2130706433 and 0x7f.1 are other spellings
    of 127.0.0.1."""
    if len(host) > LONGEST_NAME or not NAME.fullmatch(host):
        raise AddressRefused(
            f"{host[:60]!r} is not the name of a host.", "Write it as https://host.example/path."
        )
    if NUMBER.fullmatch(host.rstrip(".").rsplit(".", 1)[-1]):
        raise AddressRefused(
            f"{host!r} is neither a name nor an address.",
            "Write an address as four numbers, such as 203.0.113.7.",
        )


def shown_address(url: str | httpx.URL) -> str:
    """A URL's scheme, host and port, for logs and pages: its path and query may hold secrets."""
    try:
        parts = httpx.URL(url)
        host = parts.host
    except (httpx.InvalidURL, TypeError, ValueError):
        return "an address that cannot be read"
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{parts.port}" if parts.port is not None else "")
