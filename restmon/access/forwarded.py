"""Who sent a request, by the headers of trusted proxies. Pure. The API and the dashboard use it.

A proxy adds headers that say who connected to it. Anybody can send the same headers, so they
count only when the proxy's own address is trusted (``RESTMON_TRUSTED_PROXIES``).
"""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from restmon.access.exposure import OF_PROXIES, is_loopback
from restmon.setting_values import Network

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SCHEMES = ("http", "https")
LONGEST_HOST = 300


@dataclass(frozen=True)
class Client:
    """Who sent a request: the ``address`` it came from, and the ``scheme`` and ``host`` it asked
    for. ``direct``: it shows no sign of a proxy."""

    address: str
    scheme: str
    host: str
    direct: bool

    @property
    def at_this_machine(self) -> bool:
        """Whether the request came from this machine and asked for this machine's own name. Another
        name may be one that another site's page points here."""
        return self.direct and is_loopback(self.address) and is_loopback(host_name(self.host))


def client_of(
    peer: str, scheme: str, header: Callable[[str], str], trusted: Sequence[Network]
) -> Client:
    """Find who sent a request.

    Parameters
    ----------
    peer
        The address that connected.
    scheme
        ``http`` or ``https``, as the connection has it.
    header
        Gives a header by its name, several of one name joined by commas; "" where there is none.
    trusted
        The networks of the proxies whose headers are believed.

    Returns
    -------
    Client
        The address is the first one, from the server outward, that is not a trusted proxy's. Its
        sender may have made up what ``X-Forwarded-For`` has beyond it. Scheme and host are what the
        outermost trusted proxy says, or else what the connection has. Raises nothing, whatever the
        headers hold.
    """
    address, hops = peer, 0
    chain = _values(header("X-Forwarded-For"))
    while is_of(address, trusted):
        hops += 1
        if hops > len(chain) or (before := parse_address(chain[-hops])) is None:
            break
        address = str(before)
    host = header("Host")
    if hops:
        said = _said(header("X-Forwarded-Proto"), hops).lower()
        scheme = said if said in SCHEMES else scheme
        named = _said(header("X-Forwarded-Host"), hops)
        host = named if 0 < len(named) <= LONGEST_HOST and named.isprintable() else host
    direct = not hops and not any(header(name) for name in OF_PROXIES)
    return Client(address, scheme, host, direct)


def parse_address(text: str) -> Address | None:
    """The address in a text, alone or with a port (``192.0.2.1:80``, ``[::1]:80``), or None. An
    IPv4 address in the form of an IPv6 one is returned as IPv4."""
    shown = text.strip()
    if shown.startswith("["):
        shown = shown[1:].partition("]")[0]
    elif shown.count(":") == 1:
        shown = shown.partition(":")[0]
    try:
        found = ipaddress.ip_address(shown)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    name, colon, port = host.rpartition(":")
    return name if colon and (not port or port.isdecimal()) else host


def is_of(address: str, networks: Sequence[Network]) -> bool:
    """Whether an address is in one of the networks."""
    found = parse_address(address) if networks else None
    return found is not None and any(found in network for network in networks)


def _values(header: str) -> list[str]:
    return [part.strip() for part in header.split(",")] if header.strip() else []


def _said(header: str, hops: int) -> str:
    """The value that the outermost of several trusted proxies gave. A proxy appends its value, or
    replaces all."""
    values = _values(header)
    return values[-min(hops, len(values))] if values else ""
