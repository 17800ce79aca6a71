"""The undocumented table of tzlocal that restmon uses (seen in tzlocal 5.4.5).

tzlocal generates it from CLDR's table of Windows time zones, territory 001.
``tests/ingest/test_compat.py`` fails when a release changes it.
"""

from tzlocal.windows_tz import win_tz


def windows_zones() -> dict[str, str]:
    """Return the IANA name of each Windows name of a time zone."""
    return dict(win_tz)
