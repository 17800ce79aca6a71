"""The header line of a table: its place, its kind, and which column is which."""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from restmon.errors import FileRejected
from restmon.ingest.values.days import NAMES as WEEKDAYS

LONGEST_HEADER = 64 * 1024
LINES_ABOVE = 50
"""The header is searched for in this many lines."""
LINES_OF_HEADER = 10
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

POLLS = "polls"
BUSINESS_HOURS = "business_hours"
TIMEZONES = "timezones"
DIRECTORY = "directory"
OTHER_HOURS = "other_hours"
SALES = "sales"
GROUPS = "groups"
TARGETS = "targets"

STORE = ("store", "location_id")
START = ("start_time", "start_local_time", "open", "opens", "open_time")
END = ("end_time", "end_local_time", "close", "closes", "close_time")
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    POLLS: {"store_id": STORE, "timestamp_utc": ("timestamp",), "status": ()},
    BUSINESS_HOURS: {
        "store_id": STORE,
        "dayOfWeek": ("day", "weekday"),
        "start_time_local": START,
        "end_time_local": END,
    },
    TIMEZONES: {"store_id": STORE, "timezone_str": ("timezone", "time_zone", "tz")},
    OTHER_HOURS: {"store_id": STORE, "date": (), "start_time_local": START, "end_time_local": END},
    SALES: {"store_id": STORE, "dayOfWeek": ("day", "weekday"), "hour": (), "sales": ()},
    DIRECTORY: {"store_id": STORE},
}
"""The columns of each kind of file with the other names they may have (SEMANTICS.md, "Inputs")."""

LAYOUTS: dict[str, dict[str, tuple[str, ...]]] = {
    **COLUMNS,
    GROUPS: {"store_id": STORE, "group": ("group_name",)},
}
"""The same for every CSV file that restmon reads, also for groups, which are not a feed."""


def _weekday_columns(day: str) -> tuple[str, ...]:
    """The other names of a weekday's column: its first three letters or more, with or without
    ``hours``."""
    words = [day[:length] for length in range(3, len(day) + 1)]
    names = [name for word in words for name in (word, f"{word}_hours", f"hours_{word}")]
    return tuple(name for name in names if name != day)


WIDE_HOURS: dict[str, tuple[str, ...]] = {
    "store_id": STORE,
    **{day: _weekday_columns(day) for day in WEEKDAYS},
}
"""Business hours with a column a weekday."""
WIDE_NEEDS = (
    "Business hours of this form need store_id and a column for each of the seven weekdays, such "
    "as monday, mon or monday_hours, with ranges such as 11:30-14:00, 17:00-22:00"
)
OPENING_HOURS = "opening_hours"
OSM_HOURS: dict[str, tuple[str, ...]] = {"store_id": STORE, OPENING_HOURS: ()}
"""Business hours in the notation of OpenStreetMap."""
GROUP = ("group_name",)
DATES: dict[str, tuple[str, ...]] = {"start_date": (), "end_date": ()}
TIMES = {"start_time_local": START, "end_time_local": END}
FORMS: dict[str, tuple[dict[str, tuple[str, ...]], ...]] = {
    **{kind: (columns,) for kind, columns in LAYOUTS.items()},
    BUSINESS_HOURS: (COLUMNS[BUSINESS_HOURS], WIDE_HOURS, OSM_HOURS),
    OTHER_HOURS: (
        COLUMNS[OTHER_HOURS],
        {"store_id": STORE, **DATES, **TIMES},
        {"group": GROUP, "date": (), **TIMES},
        {"group": GROUP, **DATES, **TIMES},
    ),
    TARGETS: ({"store_id": STORE, "target": ()}, {"group": GROUP, "target": ()}),
}
"""The forms that a table of each kind may have: the columns that it needs."""
OPTIONAL: dict[str, dict[str, tuple[str, ...]]] = {
    POLLS: {"reason": ()},
    DIRECTORY: dict.fromkeys(
        ("name", "address", "groups", "sales_per_hour", "opened_on", "closed_on"), ()
    ),
    OTHER_HOURS: {"group": GROUP, "note": ("reason",)},
    TARGETS: {"group": GROUP},
}
"""The columns that a table of a kind may have besides. A directory needs one of them."""

Chosen = Mapping[str, str]
"""The user's choice of which column is which: ``kind.ours`` to the name in the file."""


@dataclass(frozen=True)
class Header:
    """The header of a table: ``names`` as written, ``line`` its number (its last one, where it
    has several), the ``delimiter`` between columns, and what a user ``chosen``."""

    names: list[str]
    line: int
    delimiter: str = ","
    chosen: Chosen = field(default_factory=dict)


def loose(name: str) -> str:
    """The form in which names of columns are compared: without case, spaces, ``_``, ``-`` and other
    marks."""
    return "".join(c for c in name.casefold() if c.isalnum())


def same_header(names: Iterable[str]) -> str:
    """The form in which headers are compared."""
    return "\x1f".join(map(loose, names))


def split_line(line: str, delimiter: str) -> list[str] | None:
    """The values of one line of CSV, without white space around them; None if it is not CSV."""
    try:
        return [value.strip().strip("\ufeff") for value in next(reader([line], delimiter), [])]
    except csv.Error:
        return None


def reader(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> Iterator[list[str]]:
    """A reader of CSV that also accepts quotes after a space."""
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter != "\t", strict=strict)


def find_header(
    beginning: bytes, name: str, kinds: Iterable[str] = tuple(LAYOUTS), chosen: Chosen | None = None
) -> tuple[Header, int]:
    """The header of a table and the number of bytes up to its first data line.

    It is the first line that fits one of the ``kinds``, or else the line most like a header. Skips
    a line ``sep=``, blank lines, titles and comments above it. Raises :class:`FileRejected` if
    there is no line of text.
    """
    kinds = list(kinds)
    best: tuple[tuple[int, int], Header, int] | None = None
    unclosed = False
    delimiters: Iterable[str] = DELIMITERS
    for number, text, end, whole in _first_lines(beginning, name):
        bare = text.strip().strip('"').strip()
        separator = re.fullmatch(r"(?i)sep=(.)?", text.strip("\ufeff \r\n").strip('"'))
        if separator and number == 1:
            delimiters = [separator[1] or "\t"]
            continue
        if not bare.strip("".join(DELIMITERS) + " \t") or bare.startswith("#"):
            continue
        if text.count('"') % 2:
            unclosed = True
            continue
        if not whole:
            break
        for delimiter in delimiters:
            names = split_line(text, delimiter)
            if names is None:
                unclosed = True
                break
            header = Header(names, number, delimiter, chosen or {})
            if kind_of(header, kinds):
                return header, end
            known = max(sum(map(bool, column_places(header, k).values())) for k in kinds)
            likeness = known, sum(map(bool, header.names))
            if best is None or likeness > best[0]:
                best = likeness, header, end
    if best and not (unclosed and best[0][0] == 0):
        return best[1], best[2]
    if unclosed:
        raise FileRejected(
            f"The header of {name} is not a line of CSV (a quote is never closed).",
            "Its first line must be the column names.",
        )
    if len(beginning) >= LONGEST_HEADER:
        raise FileRejected(
            f"The first line of {name} is longer than {LONGEST_HEADER:,} bytes.",
            "It should be a header of column names.",
        )
    raise FileRejected(f"{name} is empty.", "It needs a header line and data lines.")


def _first_lines(beginning: bytes, name: str) -> Iterator[tuple[int, str, int, bool]]:
    """The first records. Each has the number of its last line, its text, the place of the next
    line, and whether it is whole."""
    body = beginning.removeprefix(b"\xef\xbb\xbf")
    end = len(beginning) - len(body)
    lines = body.splitlines(keepends=True)
    i = 0
    while i < min(len(lines), LINES_ABOVE):
        used = 1
        raw = lines[i]
        while raw.count(b'"') % 2 and used < LINES_OF_HEADER and i + used < len(lines):
            raw += lines[i + used]
            used += 1
        if raw.count(b'"') % 2:
            raw, used = lines[i], 1
        i += used
        end += len(raw)
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            if len(beginning) >= LONGEST_HEADER and i >= len(lines):
                return
            if not raw.lstrip().startswith(b"#"):
                raise FileRejected(
                    f"The header of {name} is not UTF-8 text.",
                    "Export it as “CSV UTF-8 (comma delimited)”.",
                ) from None
            continue
        whole = raw.endswith((b"\n", b"\r")) or len(beginning) < LONGEST_HEADER
        yield i, text.rstrip("\r\n"), end, whole


def kind_of(header: Header, kinds: Iterable[str] = COLUMNS) -> str | None:
    """The first of the given kinds that a header fits, or None."""
    for kind in kinds:
        if all(len(found) == 1 for found in column_places(header, kind).values()):
            return kind
    return None


def has_several_a_weekday(header: Header) -> bool:
    """Whether each weekday has two columns or more, such as one to open and one to close."""
    written = [loose(n) for n in header.names]
    return all(
        sum(n.startswith((day[:3], f"hours{day[:3]}")) for n in written) > 1 for day in WEEKDAYS
    )


def closest_kind(header: Header, kinds: Iterable[str] = COLUMNS) -> str:
    """The kind of which a header has most columns. Of several, the one with fewest missing."""

    def closeness(kind: str) -> tuple[int, int]:
        places = column_places(header, kind)
        found = sum(map(bool, places.values()))
        return found, found - len(places)

    return max(kinds, key=closeness)


def column_places(header: Header, kind: str) -> dict[str, list[int]]:
    """The places of each of the kind's columns in the header: none, one, or several.

    Takes the first of the kind's forms that is whole, or else the one with most columns. If the
    name that is listed first for a column is there, its other names do not count.
    """
    written = [loose(n) for n in header.names]
    forms = [_with_optional(header, kind, form, written) for form in FORMS[kind]]
    for places in forms:
        if all(len(found) == 1 for found in places.values()):
            return places

    def closeness(places: dict[str, list[int]]) -> int:
        return sum(map(bool, places.values()))

    return max(forms, key=closeness)


def _with_optional(
    header: Header, kind: str, form: Mapping[str, tuple[str, ...]], written: list[str]
) -> dict[str, list[int]]:
    """The places of a form's columns, and of optional columns that are there or were chosen."""
    places = _places(header, kind, form, written)
    more = {c: names for c, names in OPTIONAL.get(kind, {}).items() if c not in places}
    for column, found in _places(header, kind, more, written).items():
        if found or f"{kind}.{column}" in header.chosen:
            places[column] = found
    if kind == DIRECTORY and len(places) == 1:
        places["name"] = []
    return places


def columns_of(kind: str) -> dict[str, tuple[str, ...]]:
    """All columns that a table of a kind may have in any of its forms, with their other names."""
    found: dict[str, tuple[str, ...]] = {}
    for form in (*FORMS[kind], OPTIONAL.get(kind, {})):
        found |= form
    return found


def _places(
    header: Header, kind: str, form: Mapping[str, tuple[str, ...]], written: list[str]
) -> dict[str, list[int]]:
    places = {}
    for column, aliases in form.items():
        theirs = header.chosen.get(f"{kind}.{column}")
        if theirs is not None:
            exact = [i for i, n in enumerate(header.names) if n == theirs.strip()]
            places[column] = exact or [i for i, n in enumerate(written) if n == loose(theirs)]
            continue
        taken = {loose(v) for k, v in header.chosen.items() if k.startswith(f"{kind}.")}
        accepted = {loose(alias) for alias in aliases}
        found = [i for i, n in enumerate(written) if n == loose(column) and n not in taken]
        places[column] = found or [
            i for i, n in enumerate(written) if n in accepted and n not in taken
        ]
    return places


def column_positions(header: Header, kind: str, name: str) -> dict[str, int]:
    """The position of each of the kind's columns, under the name that is listed first for it.

    Raises :class:`FileRejected`, which names missing columns or one that is there twice.
    """
    places = column_places(header, kind)
    names = columns_of(kind)
    optional = OPTIONAL.get(kind, {})
    form = [column for column in places if column not in optional]

    def known(column: str) -> str:
        return f"{column} (or {', '.join(names[column])})" if names[column] else column

    for column in places:
        theirs = header.chosen.get(f"{kind}.{column}")
        if theirs is not None and not places[column]:
            raise FileRejected(
                f"{name} has no column {theirs[:64]!r}, which you chose for {column}; "
                f"{header_reads(header)}.",
                "Choose one of its columns.",
            )
    missing = [column for column, found in places.items() if not found]
    if missing:
        any_of = f" and any of {', '.join(optional)}" if kind == DIRECTORY else ""
        needs = f"A {kind} file needs the columns {', '.join(map(known, form))}{any_of}"
        if list(places) == list(WIDE_HOURS):
            needs = WIDE_NEEDS
        raise FileRejected(
            f"{name} has no column {' and no column '.join(missing)}; {header_reads(header)}.",
            f"{needs}. Where yours are called otherwise, say which is which (Upload page, "
            "--column, or the field columns).",
        )
    for column, found in places.items():
        if len(found) > 1:
            raise FileRejected(f"{name} has the column {known(column)} twice.", "Keep one of them.")
    used = sorted(found[0] for found in places.values())
    if any(a == b for a, b in pairwise(used)):
        raise FileRejected(
            f"One column of {name} is chosen for two of restmon's.", "Choose one for each."
        )
    return {column: found[0] for column, found in places.items()}


def header_reads(header: Header) -> str:
    """The header line in a sentence."""
    line = "its header line" if header.line == 1 else f"its header line (line {header.line})"
    names = ", ".join(header.names[:12])[:200]
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in names)
    return f"{line} reads: {shown}"
