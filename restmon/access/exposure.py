"""What address only this machine itself can be reached at."""

import ipaddress

OF_PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
"""Headers that a proxy adds: who sent the request is then somebody else than who connected."""


def is_loopback(host: str) -> bool:
    """Whether a host, as an address or a name, can only be this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
