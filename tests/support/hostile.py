"""CSV files that somebody may send by mistake or to do harm, and generated ones."""

import gzip
from collections.abc import Iterator

from hypothesis import strategies as st

from restmon.ingest.headers import (
    BUSINESS_HOURS,
    COLUMNS,
    DIRECTORY,
    GROUPS,
    OTHER_HOURS,
    POLLS,
    SALES,
    TIMEZONES,
)

HEADERS = {
    POLLS: b"store_id,status,timestamp_utc\n",
    BUSINESS_HOURS: b"store_id,day,start_time_local,end_time_local\n",
    TIMEZONES: b"store_id,timezone_str\n",
    GROUPS: b"store_id,group\n",
    OTHER_HOURS: b"store_id,group,start_date,end_date,start_time_local,end_time_local,note\n",
    SALES: b"store_id,dayOfWeek,hour,sales\n",
    DIRECTORY: b"store_id,name,address,groups,sales_per_hour,opened_on,closed_on\n",
}
GOOD = {
    POLLS: b"good-1,active,2023-01-23 16:14:00 UTC\n",
    BUSINESS_HOURS: b"good-1,0,09:00,17:00\n",
    TIMEZONES: b"good-1,America/Denver\n",
    GROUPS: b"good-1,Brand\n",
    OTHER_HOURS: b"good-1,,2023-01-20,2023-01-25,10:00,14:00,short days\n",
    SALES: b"good-1,4,12,310.50\n",
    DIRECTORY: b"good-1,Main Street,1 Main Street,Brand;East,240,2019-05-01,2024-01-01\n",
}
STORE, STATUS, TIME = b"x", b"active", b"2023-01-23 16:14:00 UTC"
BEYOND_THE_HEADER = b"good-1,active,2023-01-23 16:14:00 UTC\n" * 150
"""More than what is looked at to tell text from other files."""


def bomb(megabytes: int, part: bytes) -> bytes:
    """A small gzip file that unpacks to so many megabytes of one repeated part."""
    block = part * (2**20 // len(part))
    return gzip.compress(HEADERS[POLLS] + BEYOND_THE_HEADER + block * megabytes, 1)


def poll(store: bytes = STORE, status: bytes = STATUS, time: bytes = TIME) -> bytes:
    """One line of a polls file."""
    return b",".join([store, status, time]) + b"\n"


def bad_lines() -> dict[str, tuple[bytes, str]]:
    """Polls lines that are rejected alone, and a part of the reason."""
    return {
        "a NUL in the id": (poll(b"a\0b"), "letters, digits"),
        "a NUL in the status": (poll(status=b"act\0ive"), "not active or inactive"),
        "a NUL in the time": (poll(time=TIME + b"\0"), "not a timestamp"),
        "only NULs": (b"\0" * 50 + b"\n", "the line has 1 values"),
        "Latin-1": (poll("Café".encode("latin1")), "letters, digits"),
        "UTF-8 in the id": (poll("Café".encode()), "letters, digits"),
        "an emoji as the status": (poll(status="🟢".encode()), "not active or inactive"),
        "a rounded id": (poll(b"1.48197E+18"), "a spreadsheet has rounded this store id"),
        "a formula as the id": (poll(b"=1+1"), "letters, digits"),
        "a formula with a quote": (poll(b'"=HYPERLINK(""http://x"")"'), "letters, digits"),
        "a path as the id": (poll(b"../../etc/passwd"), "letters, digits"),
        "an absolute path as the id": (poll(b"/etc/passwd"), "letters, digits"),
        "two dots as the id": (poll(b".."), "letters, digits"),
        "an id of 65 letters": (poll(b"x" * 65), "at most 64"),
        "an id of a megabyte": (poll(b"x" * 1_000_000), "at most 64"),
        "an empty id": (poll(b""), "empty"),
        "HTML as the id": (poll(b"<script>alert(1)</script>"), "letters, digits"),
        "the year 0": (poll(time=b"0000-01-01 00:00:00 UTC"), "no such date"),
        "the year 10000": (poll(time=b"10000-01-01 00:00:00 UTC"), "not a timestamp"),
        "before the year 1": (poll(time=b"0001-01-01T00:00:00+14:00"), "no such date"),
        "after the year 9999": (poll(time=b"9999-12-31T23:59:59-01:00"), "no such date"),
        "the 30th of February": (poll(time=b"2023-02-30 00:00:00 UTC"), "no such date"),
        "a time in words": (poll(time=b"yesterday"), "not a timestamp"),
        "a Unix time cut off": (poll(time=b"167449044"), "no Unix time"),
        "Arabic digits": (poll(time="٢٠٢٣-01-23 16:14:00 UTC".encode()), "not a timestamp"),
        "a quote that never closes": (b'"x,active,' + TIME + b"\n", "a quote is never closed"),
        "a line of 10 MB": (b"x" * 10_000_000 + b"\n", "longer than"),
        "a line of 2 MB of quotes": (b'"' * 2_000_001 + b"\n", ""),
        "100,000 columns": (b"x" + b",x" * 100_000 + b"\n", "the line has 100001 values"),
        "a million columns": (b"x," * 1_000_000 + b"\n", ""),
        "too few columns": (b"x,active\n", "the line has 2 values"),
    }


def bad_files() -> dict[str, tuple[bytes, str]]:
    """Files that are rejected whole, and a part of what is said."""
    good = HEADERS[POLLS] + GOOD[POLLS]
    return {
        "nothing": (b"", "is empty"),
        "blanks": (b"\n \n\t\n", "is empty"),
        "UTF-16 without a mark": (good.decode().encode("utf-16-le"), "not CSV text in UTF-8"),
        "UTF-32": (good.decode().encode("utf-32"), "not CSV text in UTF-8"),
        "a NUL in the header": (b"store_id\0," + good, "not CSV text in UTF-8"),
        "EBCDIC": (good.decode().encode("cp037"), "not UTF-8 text"),
        "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "is a picture"),
        "a damaged workbook": (b"PK\x03\x04" + b"\x14\0\x06\0" * 99, "damaged or cut off"),
        "gzip cut off": (gzip.compress(good * 5000)[:-20], "damaged or cut off"),
        "gzip damaged": (gzip.compress(good)[:-8] + b"12345678", "damaged or cut off"),
        "only the mark of gzip": (b"\x1f\x8b", "damaged or cut off"),
        "gzip in gzip": (gzip.compress(gzip.compress(good * 99)), "UTF-8"),
        "a million columns": (b"x," * 1_000_000 + b"\n" + good, "longer than"),
        "a header of 10 MB": (b"x" * 10_000_000, "longer than"),
        "a quote in the header": (b'"store_id,status,timestamp_utc\nx\n', "quote is never closed"),
        "the same column twice": (b"store_id,store_id,status,timestamp_utc\n", "twice"),
        "other columns": (b"a;b\n1;2\n", "none of the columns"),
        "no header": (GOOD[POLLS], "no header line"),
        "HTML": (b"<!doctype html><html><body>Not found</body></html>", "is an HTML page"),
        "JSON": (b'[{"store_id": "x", "status": "active"}]', "is JSON"),
    }


PIECES = [
    *(b",", b"\n", b"\r", b"\r\n", b'"', b'""', b"\0", b"\xff", b"\xc3", b"\xef\xbb\xbf", b" "),
    *(b"store_id", b"status", b"timestamp_utc", b"day", b"start_time_local", b"timezone_str"),
    *(b"x", b"good-1", b"1.48197E+18", b"=1+1", b"-5", b"../..", b"'", b"\xf0\x9f\x9f\xa2"),
    *(b"active", b"inactive", b"ACTIVE", b"0", b"6", b"7", b"-1", b"09:00", b"24:00", b"25:61"),
    *(b"2023-01-23 16:14:00 UTC", b"0000-01-01 00:00:00", b"9999-12-31T23:59:59.999999999Z"),
    *(b"2023-01-23T16:14:00+23:59", b"America/Denver", b"UTC", b"../UTC", b"posixrules", b"group"),
    *(b"2023-01-22", b"11/12/2026", b"13/12/2026", b"2023-02-30", b"Brand", b"A;B", b"\\;", b"-0"),
    *(b"note", b"date", b"end_date", b"hour", b"sales", b"name", b"1e9", b"12.5", b"$3", b"NaN"),
]
# A surrogate is no character of UTF-8: str.encode would refuse it.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8).map(str.encode)
VALUE = st.one_of(st.sampled_from(PIECES), TEXT, st.binary(max_size=12))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)


@st.composite
def lines(draw: st.DrawFn, kind: str) -> bytes:
    """A data line: good, good with one value changed, or noise."""
    how = draw(st.integers(0, 5))
    if how == 0:
        return b"".join(draw(st.lists(VALUE, max_size=8))) + b"\n"
    values = GOOD[kind].rstrip(b"\n").split(b",")
    if how >= 3:
        values[draw(st.integers(0, len(values) - 1))] = draw(VALUE)
    if how == 5:
        values.insert(draw(st.integers(0, len(values))), draw(VALUE))
    return b",".join(values) + draw(st.sampled_from([b"\n", b"\r\n", b"\n\n"]))


@st.composite
def files(draw: st.DrawFn, kind: str) -> bytes:
    """A file meant as one of the kind: whole, cut, spliced, or compressed."""
    header = HEADERS[kind] if draw(st.integers(0, 7)) else draw(VALUE) + b"\n"
    content = header + b"".join(draw(st.lists(lines(kind), max_size=8)))
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(VALUE) + content[place + draw(st.integers(0, 4)) :]
    how = draw(st.integers(0, 15))
    if how == 0:
        content = content[: draw(st.integers(0, len(content)))]
    elif how == 1:
        content = gzip.compress(content, 1)
        content = content[: draw(st.integers(0, len(content) * 2))]
    elif how == 2:
        content = content.replace(b"\n", b"\r")
    return content


def kinds() -> Iterator[str]:
    """The kinds of files that are fuzzed."""
    yield from (*COLUMNS, GROUPS)
