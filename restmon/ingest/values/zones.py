"""Time zones: IANA names, and the names that people and Windows write for them."""

import re
from difflib import get_close_matches
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa

from restmon.core.fixed_zones import explain_fixed_zone
from restmon.ingest.compat import windows_zones
from restmon.ingest.values.base import Parsed, by_distinct_value, trimmed, words

NOT_PLACES = {"localtime", "posixrules", "factory"}
EASTERN, CENTRAL, MOUNTAIN, PACIFIC, ALASKA, HAWAII = (
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"),
    *("America/Anchorage", "Pacific/Honolulu"),
)
LIKELY = {
    **dict.fromkeys(("et", "edt", "est/edt", "eastern"), EASTERN),
    **dict.fromkeys(("ct", "cst", "cdt", "cst/cdt", "central"), CENTRAL),
    **dict.fromkeys(("mt", "mdt", "mst/mdt", "mountain"), MOUNTAIN),
    **dict.fromkeys(("pt", "pst", "pdt", "pst/pdt", "pacific", "us/pacific-new"), PACIFIC),
    **dict.fromkeys(("akst", "akdt", "akt", "alaska", "alaskan"), ALASKA),
    **dict.fromkeys(("hdt", "hawaii", "hawaiian"), HAWAII),
    **dict.fromkeys(("arizona",), "America/Phoenix"),
    **dict.fromkeys(("atlantic", "ast", "adt"), "America/Halifax"),
    **dict.fromkeys(("bst", "uk", "london"), "Europe/London"),
    **dict.fromkeys(("cest", "mez", "mesz"), "Europe/Berlin"),
    "ist": "Asia/Kolkata",
    "jst": "Asia/Tokyo",
}
LIKELY_BY_HOURS: dict[float, str] = {
    **{-10: HAWAII, -9: ALASKA, -8: PACIFIC, -7: MOUNTAIN, -6: CENTRAL, -5: EASTERN},
    **{-4: "America/Halifax", -3: "America/Sao_Paulo", 0: "Europe/London", 1: "Europe/Berlin"},
    **{2: "Europe/Athens", 3: "Europe/Moscow", 4: "Asia/Dubai", 5: "Asia/Karachi"},
    **{5.5: "Asia/Kolkata", 7: "Asia/Bangkok", 8: "Asia/Singapore", 9: "Asia/Tokyo"},
    **{10: "Australia/Sydney", 12: "Pacific/Auckland"},
}
EMPTY = {"", "null", "none", "nan", "n/a", "na", "nil", "-", "unknown"}
OFFSET = re.compile(r"(?:utc|gmt)? ?([+-]?)(\d{1,2})(?::?([0-5]\d))?(?:\.0+)?")
DISPLAYED = re.compile(r"\((?:utc|gmt)[^)]*\) *(.*)")


@cache
def _known() -> dict[str, str]:
    """The zones by their names in lower case: IANA's, then those of Windows (CLDR's table)."""
    windows = {name.casefold(): zone for name, zone in windows_zones().items()}
    iana = {name.casefold().replace("_", " "): name for name in sorted(available_timezones())}
    return {name: zone for name, zone in (windows | iana).items() if name not in NOT_PLACES}


@cache
def _cities() -> dict[str, str]:
    """Zones by the last part of their names."""
    places = sorted(name for name in available_timezones() if "/" in name)
    main = [name for name in places if name.split("/")[0] not in {"Etc", "posix", "right", "US"}]
    return {name.rpartition("/")[2].casefold().replace("_", " "): name for name in main}


@lru_cache(maxsize=4096)
def zone_name(value: bytes) -> str | None:
    """The IANA name of a zone in any case, with spaces for ``_``; None if there is no such zone."""
    name = _known().get(words(value).replace("_", " "))
    if name is None:
        return None
    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, LookupError):
        return None


@lru_cache(maxsize=4096)
def likely_zone(value: bytes) -> str | None:
    """The zone that a value probably means, although it names none; or None."""
    word = words(value)
    shown = DISPLAYED.fullmatch(word)
    word = (shown[1] if shown and shown[1] else word).replace("_", " ")
    word = re.sub(r"\s*\(.*\)$", "", word)
    if word in LIKELY:
        return LIKELY[word]
    word = re.sub(r"^(us|america)[/ ](?=(eastern|central|mountain|pacific)\b)", "", word)
    short = re.sub(r" (standard |daylight |summer )?time$", "", word)
    for name in (word, short):
        found = LIKELY.get(name) or _cities().get(name) or _known().get(name)
        if found:
            return found
    match = OFFSET.fullmatch(word)
    if match:
        hours = int(match[2]) + int(match[3] or 0) / 60
        return LIKELY_BY_HOURS.get(-hours if match[1] == "-" else hours)
    # All names of Windows end alike, so only the part before the end is compared.
    names = {name.removesuffix(" standard time"): zone for name, zone in _known().items()}
    close = get_close_matches(short, names, 1, 0.85) if len(short) > 4 else []
    return names[close[0]] if close and close[0].rpartition("/")[2] else None


def why_not_a_zone(value: bytes) -> str:
    """The reason a time zone is rejected."""
    word = words(value)
    if word in EMPTY:
        return "the time zone is empty; write one such as America/Chicago"
    likely = likely_zone(value)
    if OFFSET.fullmatch(word):
        example = f"; write the zone's name, likely {likely}" if likely else ""
        return f"an offset does not say when daylight saving time applies{example}"
    if likely:
        return f"it is not the name of an IANA time zone; did you mean {likely}?"
    return "it is not the name of an IANA time zone such as America/Chicago"


def warn_of_zone(value: bytes) -> str | None:
    """A warning about a valid zone with a fixed offset, or None."""
    name = zone_name(trimmed(value))
    return None if name is None else explain_fixed_zone(name)


def parse_zones(raw: pa.Array) -> Parsed:
    """Time-zone names, object array of str."""
    found = by_distinct_value(raw, zone_name, object, "", why_not_a_zone)
    return Parsed(found.values, found.good, found.reason, warn_of_zone)
