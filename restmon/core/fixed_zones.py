"""Time zones without daylight saving time, and what their names mean. Pure."""

import re

ABBREVIATIONS = {
    "EST": (5, "America/New_York"),
    "MST": (7, "America/Denver"),
    "HST": (10, "Pacific/Honolulu"),
}
"""Hours west of UTC, and the zone that is likely meant."""
ETC = re.compile(r"Etc/GMT([+-])(\d{1,2})")


def explain_fixed_zone(zone: str) -> str | None:
    """Return what an IANA name with a fixed offset means, or None for another name.

    ``EST``, ``MST`` and ``HST`` have no daylight saving time; the sign of ``Etc/GMT+5`` is
    inverted. A name that says UTC, such as ``UTC`` itself, means what it says.
    """
    if zone in ABBREVIATIONS:
        hours, likely = ABBREVIATIONS[zone]
        meaning = f"{zone} is UTC−{hours} all year, without daylight saving time"
        return meaning if zone == "HST" else f"{meaning}; where clocks change, use {likely}"
    found = ETC.fullmatch(zone)
    if found and int(found[2]):
        sign = "−" if found[1] == "+" else "+"
        return (
            f"{zone} is UTC{sign}{int(found[2])} all year (its sign is inverted), without daylight "
            "saving time"
        )
    return None
