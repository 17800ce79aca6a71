"""Values as people write them. Each strategy writes a known value in an accepted form, or a near
miss with a part of the reason for it. All forms come from the definition of the files, and none
from the code that reads them."""

import csv
import gzip
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import xlsxwriter
from hypothesis import strategies as st

SECOND = 1_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ACTIVE = ["active", "online", "open", "up", "true", "1"]
INACTIVE = ["inactive", "offline", "paused", "closed", "down", "false", "0"]
DAY_NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
CLOSED_WORDS = ["closed", "x", "-", "off", ""]
WHOLE_DAY_WORDS = ["24h", "24 hours", "open 24 hours"]
ZONES = [
    *("America/New_York", "America/Chicago", "America/Argentina/Buenos_Aires", "Asia/Kolkata"),
    *("America/Port-au-Prince", "Europe/Berlin", "Etc/GMT+5", "EST", "UTC", "US/Eastern"),
]
WINDOWS = {
    "Eastern Standard Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver",
    "US Mountain Standard Time": "America/Phoenix",
    "Pacific Standard Time": "America/Los_Angeles",
    "Alaskan Standard Time": "America/Anchorage",
    "Hawaiian Standard Time": "Pacific/Honolulu",
    "W. Europe Standard Time": "Europe/Berlin",
    "GMT Standard Time": "Europe/London",
    "Tokyo Standard Time": "Asia/Tokyo",
}
HEADERS = {
    "store_id": ["store_id", "store", "location_id"],
    "timestamp_utc": ["timestamp_utc", "timestamp"],
    "status": ["status"],
    "dayOfWeek": ["day_of_week", "day", "weekday"],
    "start_time_local": ["start_time_local", "start_time", "open", "opens", "open_time"],
    "end_time_local": ["end_time_local", "end_time", "close", "closes", "close_time"],
    "timezone_str": ["timezone_str", "timezone", "time_zone", "tz"],
}
FIRST = int((datetime(2000, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * SECOND
LAST = int((datetime(2025, 12, 31, tzinfo=UTC) - EPOCH).total_seconds()) * SECOND

instants = st.one_of(
    st.integers(FIRST // MINUTE, LAST // MINUTE).map(lambda n: n * MINUTE),
    st.integers(FIRST // SECOND, LAST // SECOND).map(lambda n: n * SECOND),
    st.integers(FIRST, LAST),
)
times = st.one_of(
    st.integers(0, 95).map(lambda n: n * 15 * MINUTE),
    st.integers(0, DAY // SECOND - 1).map(lambda n: n * SECOND),
    st.integers(0, DAY - 1),
)


@st.composite
def in_any_case(draw: st.DrawFn, text: str) -> str:
    """The text in capital letters, small ones, or both."""
    change = draw(st.sampled_from([str, str.upper, str.lower, str.capitalize, str.title]))
    return change(text)


@st.composite
def fraction(draw: st.DrawFn, micros: int) -> str:
    """A fraction of a second of at most nine digits. Those after the sixth are random."""
    if not micros and draw(st.booleans()):
        return ""
    shortest = f"{micros:06d}".rstrip("0")
    digits = shortest.ljust(draw(st.integers(max(1, len(shortest)), 9)), "0")
    if len(digits) > 6:
        digits = digits[:6] + draw(st.text("0123456789", min_size=len(digits) - 6, max_size=3))[:3]
    return draw(st.sampled_from(".,")) + digits[:9]


@st.composite
def clock(draw: st.DrawFn, time: int, *, alone: bool, halves: bool | None = None) -> str:
    """A time of day of 24 or 12 hours (``halves``, None: either); ``alone``: its hour may have one
    digit or stand alone."""
    hour, minute, second = time // HOUR, time // MINUTE % 60, time // SECOND % 60
    half = alone and (draw(st.booleans()) if halves is None else halves)
    shown = (hour % 12 or 12) if half else hour
    text = draw(st.sampled_from([f"{shown}", f"{shown:02}"])) if alone else f"{shown:02}"
    rest = time % MINUTE
    if minute or rest or not half or draw(st.booleans()):
        text += f":{minute:02}"
        if rest or draw(st.booleans()):
            text += f":{second:02}" + draw(fraction(time % SECOND))
    if half:
        letter = "p" if hour > 11 else "a"
        mark = draw(st.sampled_from([f"{letter}m", f"{letter}.m."]))
        text += draw(st.sampled_from(["", " "])) + draw(st.sampled_from([mark, mark.upper()]))
    return text


@st.composite
def offsets(draw: st.DrawFn, minutes: int) -> str:
    """An offset from UTC, or a text that means none."""
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    forms = [f"{sign}{hours:02}{rest:02}", f"{sign}{hours:02}:{rest:02}"]
    forms += [] if rest else [f"{sign}{hours:02}"]
    forms += [f" {form}" for form in forms]
    if not minutes:
        forms += ["", "", " UTC", "UTC", " GMT", "GMT", "Z", " utc", " +0000 UTC"]
    return draw(st.sampled_from(forms))


@st.composite
def timestamps(draw: st.DrawFn, instant: int, order: str | None = None) -> str:
    """The instant (microseconds) in an accepted form; with an ``order`` perhaps as 11/12/2026."""
    units = {10: SECOND, 13: 1000, 16: 1}
    whole = [
        str(instant // unit)
        for digits, unit in units.items()
        if instant % unit == 0 and len(str(instant // unit)) == digits
    ]
    if whole and draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from(whole))
    minutes = draw(st.sampled_from([0, 0, 0, -300, 330, 60, -570, 845]))
    local = EPOCH + timedelta(microseconds=instant) + timedelta(minutes=minutes)
    time = ((local.hour * 60 + local.minute) * 60 + local.second) * SECOND + local.microsecond
    if order and draw(st.booleans()):
        parts = [local.month, local.day]
        first, then = parts if order == "month-first" else reversed(parts)
        form = draw(st.sampled_from(["{}/{}/{}", "{:02}/{:02}/{}"]))
        day = form.format(first, then, local.year)
    else:
        day = f"{local:%Y-%m-%d}"
    return (
        day + draw(st.sampled_from(" T")) + draw(clock(time, alone=False)) + draw(offsets(minutes))
    )


@st.composite
def statuses(draw: st.DrawFn, active: bool) -> str:
    return draw(in_any_case(draw(st.sampled_from(ACTIVE if active else INACTIVE))))


NUMBERED = {
    None: [0, 1, 2, 3, 4, 5, 6],
    "0-monday": [0, 1, 2, 3, 4, 5, 6],
    "1-monday": [1, 2, 3, 4, 5, 6, 7],
    "1-sunday": [2, 3, 4, 5, 6, 7, 1],
    "0-sunday": [1, 2, 3, 4, 5, 6, 0],
}
"""The numbers of Monday through Sunday in a file, by its numbering."""


@st.composite
def days(draw: st.DrawFn, day: int, numbering: str | None = None) -> str:
    name = DAY_NAMES[day]
    if draw(st.booleans()):
        return str(NUMBERED[numbering][day])
    return draw(in_any_case(name[: draw(st.integers(3, len(name)))]))


@st.composite
def times_of_day(
    draw: st.DrawFn, time: int, *, is_end: bool = False, halves: bool | None = None
) -> str:
    forms = [clock(time, alone=True, halves=halves)] * 3 if time < DAY else []
    if time == DAY:
        forms = [st.sampled_from(["24:00", "24:00:00", "midnight"])]
    if time == 0 and not is_end:
        forms.append(in_any_case("midnight"))
    if time == DAY // 2:
        forms.append(in_any_case("noon"))
    return draw(st.one_of(forms))


@st.composite
def zones(draw: st.DrawFn) -> tuple[str, str]:
    """(a zone, a text that means it)."""
    if draw(st.booleans()):
        windows = draw(st.sampled_from(sorted(WINDOWS)))
        return WINDOWS[windows], draw(in_any_case(windows))
    name = draw(st.sampled_from(ZONES))
    return name, draw(in_any_case(name.replace("_", draw(st.sampled_from("_ ")))))


@st.composite
def column_names(draw: st.DrawFn, column: str) -> str:
    name = draw(st.sampled_from(HEADERS[column]))
    name = name.replace("_", draw(st.sampled_from(["_", " ", "-", "", " - "])))
    return draw(in_any_case(name))


# Tables and files


@dataclass(frozen=True)
class Week:
    """A store's hours: by day, spans in microseconds of wall clock; none: closed on that day."""

    spans: dict[int, list[tuple[int, int]]]


spans = st.tuples(times, st.one_of(times, st.just(DAY)))
weeks = st.dictionaries(
    st.integers(0, 6),
    st.one_of(st.just([]), st.just([(0, DAY)]), st.lists(spans, min_size=1, max_size=2)),
    min_size=1,
).map(Week)


@st.composite
def opening(draw: st.DrawFn, span: tuple[int, int] | None) -> list[str]:
    """The two cells of a span, or of a closed day (None)."""
    if span is None:
        word = draw(st.sampled_from(CLOSED_WORDS))
        return [draw(in_any_case(word)), draw(in_any_case(word))]
    if span == (0, DAY) and draw(st.booleans()):
        word = draw(in_any_case(draw(st.sampled_from(WHOLE_DAY_WORDS))))
        return draw(st.sampled_from([[word, word], [word, ""], ["", word]]))
    return [draw(times_of_day(span[0])), draw(times_of_day(span[1], is_end=True))]


@st.composite
def wide_cells(draw: st.DrawFn, spans: Sequence[tuple[int, int]]) -> str:
    if not spans:
        return draw(in_any_case(draw(st.sampled_from(CLOSED_WORDS))))
    if list(spans) == [(0, DAY)] and draw(st.booleans()):
        return draw(in_any_case(draw(st.sampled_from(WHOLE_DAY_WORDS))))
    ranges = []
    for start, end in spans:
        # A range of which one time alone says AM or PM is not taken.
        halves = draw(st.booleans())
        first = draw(times_of_day(start, halves=halves))
        last = draw(times_of_day(end, is_end=True, halves=halves))
        # A fraction after a comma would look like another range.
        first, last = first.replace(",", "."), last.replace(",", ".")
        ranges.append(first + draw(st.sampled_from(["-", " - ", "–", " – "])) + last)
    return ", ".join(ranges)


SPACES = ["", "", "", " ", "  ", "\N{NO-BREAK SPACE}", " \N{NO-BREAK SPACE}"]


@st.composite
def texts(draw: st.DrawFn, header: list[str], rows: list[list[str]]) -> bytes:
    """A table as text: any delimiter, encoding, line end, with blank lines, the header again,
    columns in any order, spaces around values, and an extra column."""
    delimiter = draw(st.sampled_from(",;\t|"))
    order = draw(st.permutations(range(len(header) + 1)))
    again = draw(st.booleans())
    out = io.StringIO()
    out.write(draw(st.sampled_from(["", "", "\n", f"sep={delimiter}\n", "# by hand\n"])))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)
    names = [*header, "note 1"]
    writer.writerow([names[i] for i in order])
    for number, row in enumerate(rows):
        spaced = [draw(st.sampled_from(SPACES)) + v + draw(st.sampled_from(SPACES)) for v in row]
        writer.writerow([[*spaced, "some"][i] for i in order])
        if draw(st.integers(0, 5)) == 0:
            out.write(draw(st.sampled_from([end, delimiter * len(header) + end, " " + end])))
        if again and number == len(rows) // 2:
            writer.writerow([names[i] for i in order])
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    return out.getvalue().encode(encoding)


def workbook(sheets: dict[str, list[list[str]]]) -> bytes:
    """A workbook whose cells are all text."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                for j, value in enumerate(row):
                    sheet.write_string(i, j, value)
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    """A ZIP of files by their names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


@st.composite
def files(draw: st.DrawFn, tables: dict[str, list[list[str]]]) -> dict[str, bytes]:
    """Files by name with the tables (header first) in one of the containers."""
    how = draw(st.sampled_from(["plain", "gzip", "zip", "workbook", "workbook in zip"]))
    if how.startswith("workbook"):
        book = workbook({**tables, "notes": [["made by hand"]]})
        return {"f.zip": zipped({"f.xlsx": book})} if "zip" in how else {"f.xlsx": book}
    made = {f"{name}.csv": draw(texts(rows[0], rows[1:])) for name, rows in tables.items()}
    if how == "zip":
        return {"f.zip": zipped({f"data/{name}": content for name, content in made.items()})}
    return {n: gzip.compress(c) if how == "gzip" else c for n, c in made.items()}


# Near misses: (a value, what the reason must say)

Missed = tuple[str, str]


@st.composite
def bad_timestamps(draw: st.DrawFn) -> Missed:
    month, day = draw(st.integers(1, 12)), draw(st.integers(1, 28))
    hour, minute = draw(st.integers(0, 23)), draw(st.integers(0, 59))
    good_day, good_time = f"2024-{month:02}-{day:02}", f"{hour:02}:{minute:02}:00"
    number = draw(st.sampled_from([6, 8, 9, 11, 12, 14, 15, 17]))
    cases: list[Missed] = [
        (f"2024-{draw(st.integers(13, 99))}-{day:02} {good_time}", "no such date"),
        (f"2023-02-{draw(st.integers(29, 99))} {good_time}", "no such date"),
        (f"{good_day} {draw(st.integers(24, 99))}:00:00", "no such date"),
        (f"{good_day} {hour:02}:{draw(st.integers(60, 99))}", "no such date"),
        (f"{good_day} {good_time} +{draw(st.integers(24, 99))}:00", "no such date"),
        (
            f"{good_day} {good_time} {draw(st.sampled_from('+-'))}0{hour % 9 + 1}00 UTC",
            "contradict",
        ),
        (
            f"{good_day} {good_time} {draw(st.sampled_from(['EST', 'PDT', 'CET']))}",
            "no sure offset",
        ),
        (good_day, "without a time of day"),
        (f"{month}/{day}/24 {good_time}", "year has two digits"),
        (f"{draw(st.integers(36_000, 60_000))}.{draw(st.integers(1, 99999))}", "spreadsheet"),
        (f"1.{draw(st.integers(1, 99999))}E+{draw(st.integers(9, 12))}", "spreadsheet"),
        ("1" * number, "no Unix time"),
        (f"00{draw(st.integers(10**7, 10**8 - 1))}", "before 1973"),
        (f"{good_day} {good_time}.{'1' * 10}", "not a timestamp"),
        ("", "the timestamp is empty"),
    ]
    return draw(st.sampled_from(cases))


@st.composite
def bad_openings(draw: st.DrawFn) -> tuple[str, str, str]:
    """(start, end, what the reason must say)."""
    hour = draw(st.integers(1, 12))
    cases = [
        (f"{draw(st.integers(25, 99))}:00", "12:00", "not a time"),
        (f"{hour}:{draw(st.integers(60, 99))}", "22:00", "not a time"),
        ("24:00", "2:00", "not a time"),
        (f"{draw(st.integers(13, 99))}:00 PM", "22:00", "12-hour clock"),
        ("0:30 AM", "22:00", "12-hour clock"),
        (f"{hour}", "22:00", "morning or evening"),
        ("9:00", f"{hour}", "morning or evening"),
        (f"0.{draw(st.integers(1, 9999))}", "22:00", "spreadsheet's number"),
        ("9:00", "", "the end time is empty"),
        ("", "22:00", "the start time is empty"),
        (draw(st.sampled_from(["closed", "x", "off", "-"])), "22:00", "says closed"),
        ("9:00", draw(st.sampled_from(["closed", "x", "off", "-"])), "says closed"),
        ("9:00", draw(st.sampled_from(WHOLE_DAY_WORDS)), "whole day"),
        ("nine", "22:00", "not a time"),
    ]
    return draw(st.sampled_from(cases))


@st.composite
def bad_days(draw: st.DrawFn) -> Missed:
    name = draw(st.sampled_from(DAY_NAMES))
    word = draw(
        st.sampled_from([name[:2], name[0], name + "s", "8", "9", "-1", "1.5", "weekdays", "10"])
    )
    return word, "use 0 for Monday through 6 for Sunday, or a day name"


@st.composite
def bad_statuses(draw: st.DrawFn) -> Missed:
    word = draw(st.sampled_from(ACTIVE + INACTIVE))
    miss = draw(st.sampled_from([word + "d", "in " + word, word[:-1] + "?", "2", "yes", "unknown"]))
    return draw(in_any_case(miss)), "not active or inactive"


LETTERS = {
    **dict.fromkeys(["EDT", "ET", "Eastern", "Eastern Time"], "America/New_York"),
    **dict.fromkeys(["CST", "CDT", "Central", "Central Daylight Time"], "America/Chicago"),
    **dict.fromkeys(["MDT", "Mountain"], "America/Denver"),
    **dict.fromkeys(["PST", "PDT", "Pacific", "US/Pacific-New"], "America/Los_Angeles"),
    **{"-05:00": "America/New_York", "UTC-6": "America/Chicago", "GMT-0800": "America/Los_Angeles"},
    **{"America/Chicgo": "America/Chicago", "Chicago": "America/Chicago", "Mexico Standard": ""},
}


@st.composite
def bad_zones(draw: st.DrawFn) -> Missed:
    """A text that is not the name of a zone, and the likely zone."""
    word = draw(st.sampled_from(sorted(LETTERS)))
    return draw(in_any_case(word)), LETTERS[word] or "not the name of an IANA time zone"


@st.composite
def bad_ids(draw: st.DrawFn) -> Missed:
    number = draw(st.integers(1000, 10**9))
    cases = [
        (f"{number:,}", "thousands separators"),
        ("", "the store id is empty"),
        (f"'{number}", "a mark before"),
        (f"{number}e+{draw(st.integers(9, 18))}", "exponent"),
        (f"7.{number}E+18", "exponent"),
        ("a" * draw(st.integers(65, 99)), "at most 64 characters"),
        (f"{draw(st.sampled_from('#_.:-&'))}{number}", "beginning with a letter or digit"),
        (f"{number}{draw(st.sampled_from('#/&@'))}7", "letters, digits"),
        (f"caf\N{LATIN SMALL LETTER E WITH ACUTE}{number}", "letters, digits"),
    ]
    return draw(st.sampled_from(cases))


def canonical(kind: str, rows: list[list[Any]]) -> str:
    """A table in its simplest form."""
    heads = {
        "polls": "store_id,status,timestamp_utc",
        "business_hours": "store_id,day,start_time_local,end_time_local",
        "timezones": "store_id,timezone_str",
    }
    return "\n".join([heads[kind], *(",".join(map(str, row)) for row in rows), ""])


def plain_time(time: int) -> str:
    """A time of day in its simplest form."""
    text = f"{time // HOUR:02}:{time // MINUTE % 60:02}:{time // SECOND % 60:02}"
    return text + (f".{time % SECOND:06}" if time % SECOND else "")


def plain_instant(instant: int) -> str:
    """An instant in its simplest form."""
    return f"{EPOCH + timedelta(microseconds=instant):%Y-%m-%d %H:%M:%S.%f} UTC"
