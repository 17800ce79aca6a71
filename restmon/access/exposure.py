"""Whether others reach this machine's servers, and what those then require."""

import ipaddress

from restmon.access import accounts, api_keys
from restmon.errors import SettingsError
from restmon.settings import Settings
from restmon.storage.access_models import Account, ApiKey
from restmon.storage.database import have_rows, session

OF_PROXIES = (
    "Forwarded",
    "Via",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Real-IP",
)
"""Headers that a proxy adds. With one of them, another machine than the one that connected sent the
request."""


def is_loopback(host: str) -> bool:
    """Whether a host, as an address or a name, can only be this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def dashboard_requires_login(settings: Settings) -> bool:
    """Whether the dashboard requires a login. It does if others reach it, and from the first
    account on, because others may reach it through a proxy."""
    return not is_loopback(settings.dashboard_host) or accounts.was_ever_made()


def api_requires_key(settings: Settings) -> bool:
    """Whether every request to the API requires a key. It does if others reach it, and once there
    has been a key or an account, because others may reach it through a proxy that does not say so.
    """
    if not is_loopback(settings.api_host):
        return True
    with session():
        return have_rows(ApiKey, Account)


def check_dashboard(settings: Settings) -> None:
    """Raise SettingsError where others reach the dashboard and nobody can log in."""
    if not is_loopback(settings.dashboard_host) and not accounts.is_any_active():
        raise SettingsError(
            f"The dashboard would listen on {settings.dashboard_host or 'every address'}, where "
            "others reach it, and there is no account.",
            "Make one (python -m restmon accounts add E-MAIL --role operator), or set "
            "RESTMON_DASHBOARD_HOST=127.0.0.1.",
        )


def check_api(settings: Settings) -> None:
    """Raise SettingsError where others reach the API and there is no valid key."""
    if is_loopback(settings.api_host):
        return
    if not any(api_keys.state(row) == "active" for row in api_keys.list_keys()):
        raise SettingsError(
            f"The API would listen on {settings.api_host or 'every address'}, where others reach "
            "it, and there is no API key.",
            "Make one (python -m restmon keys make NAME), or set RESTMON_API_HOST=127.0.0.1.",
        )
