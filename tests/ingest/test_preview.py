"""What a file would bring: the same that an import of it then does."""

import gzip
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restmon.errors import FileRejected
from restmon.ingest import csv_reader
from restmon.ingest.choices import Choices
from restmon.ingest.headers import LAYOUTS
from restmon.ingest.preview import Preview, preview, previews
from restmon.ingest.validation import Checker
from restmon.ingest.values.store_ids import StoreIds
from tests.support.examples import examples

HEADER = "store_id,status,timestamp_utc\n"
LINE = "s{},active,2023-01-22 12:09:39.388884 UTC\n"


def seen(content: str | bytes, name: str = "f.csv") -> Preview:
    return preview(io.BytesIO(content.encode() if isinstance(content, str) else content), name)


class Counted(io.BytesIO):
    """An upload that counts the bytes read from it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


@pytest.mark.parametrize(
    ("header", "kind", "columns", "ignored"),
    [
        (
            "Timestamp_UTC,note,STATUS,store_id,note",
            "polls",
            {"Timestamp_UTC": "timestamp_utc", "STATUS": "status", "store_id": "store_id"},
            ["note", "note"],
        ),
        (
            "store_id,day,start_time_local,end_time_local",
            "business_hours",
            {
                "store_id": "store_id",
                "day": "dayOfWeek",
                "start_time_local": "start_time_local",
                "end_time_local": "end_time_local",
            },
            [],
        ),
        (
            "\ufeffstore_id,timezone_str",
            "timezones",
            {"store_id": "store_id", "timezone_str": "timezone_str"},
            [],
        ),
        ("store_id,group_name", "groups", {"store_id": "store_id", "group_name": "group"}, []),
    ],
)
def test_the_kind_and_the_columns(
    header: str, kind: str, columns: dict[str, str], ignored: list[str]
):
    found = seen(header + "\n")
    assert (found.kind, found.columns, found.ignored) == (kind, columns, ignored)
    assert (found.lines, len(found.rows), found.problem) == (0, 0, None)
    assert list(found.rows.columns) == ["line", *LAYOUTS[kind]]


def test_every_bad_cell_is_named(tmp_path: Path):
    path = tmp_path / "polls.csv"
    path.write_text(
        "note,store_id,status,timestamp_utc\n"
        "x,001,ACTIVE,2023-01-22T12:09:39Z\n"
        "\n"
        "x,-a,resting,2023-02-30 12:00:00\n"
        "x,b,active\n"
        'x,"c",inactive,2023-01-22 12:09:39 UTC'
    )
    found = preview(path, "polls.csv")
    assert found.rows.to_numpy().tolist() == [
        [2, "001", "2023-01-22T12:09:39Z", "ACTIVE"],
        [4, "-a", "2023-02-30 12:00:00", "resting"],
        [6, "c", "2023-01-22 12:09:39 UTC", "inactive"],
    ]
    assert [(p.line, p.column, p.value) for p in found.problems] == [
        (4, "timestamp_utc", "2023-02-30 12:00:00"),
        (5, "", "x,b,active"),
    ]
    assert "no such date" in found.problems[0].reason
    assert (found.lines, found.bad_lines) == (4, 2)
    assert found.size == path.stat().st_size


@pytest.mark.parametrize(
    ("text", "closest", "says", "hint"),
    [
        (
            "store_id,status\n",
            "polls",
            "f.csv has no column timestamp_utc; its header line reads: store_id, status.",
            "polls file needs",
        ),
        (
            "store_id,day\na,0\n",
            "business_hours",
            "f.csv has no column start_time_local and no column end_time_local; ",
            "needs the columns store_id (or store, location_id), dayOfWeek",
        ),
        ("store_id,zone\n", "timezones", "no column timezone_str", "timezones file"),
        (
            "store_id,status,timestamp_utc,status\n",
            "polls",
            "f.csv has the column status twice.",
            "Keep one",
        ),
        (
            "a,b\n1,2\n",
            None,
            "none of the columns that restmon reads",
            "polls: store_id, timestamp_utc",
        ),
        ("store_id;status\n", "polls", "no column timestamp_utc", "polls file needs"),
        (LINE.format(1), "polls", "f.csv has no header line", "store_id,timestamp_utc,status"),
        ("1,0,00:00:00,02:00:00\n", "business_hours", "no header line", "dayOfWeek"),
        ("1,America/Chicago\n", "timezones", "no header line", "store_id,timezone_str"),
    ],
)
def test_a_header_of_no_kind(text: str, closest: str | None, says: str, hint: str):
    found = seen(text)
    assert (found.kind, found.closest) == (None, closest)
    assert found.problem is not None
    assert says in found.problem.message
    assert hint in found.problem.hint
    assert found.rows.empty


def test_the_sentence_is_the_one_of_an_import():
    file = io.BytesIO(b"store_id,day\n")
    found = preview(file, "f.csv")
    with pytest.raises(FileRejected) as caught:
        list(csv_reader.read_batches(file, "f.csv", "business_hours"))
    assert str(found.problem) == str(caught.value)


ZIPPED = gzip.compress((HEADER + LINE.format(1)).encode(), mtime=0)
NOT_CSV = {
    "nothing": (b"", "is empty"),
    "blank lines": (b"\xef\xbb\xbf \r\n\n", "is empty"),
    "nothing, zipped": (gzip.compress(b""), "is empty"),
    "UTF-16 without a mark": (HEADER.encode("utf-16-le"), "not CSV text in UTF-8"),
    "half a workbook": (b"PK\x03\x04\x00\x00\x08\x00", "damaged or cut off"),
    "Latin-1": ("größe,status\n".encode("latin-1"), "not UTF-8"),
    "an open quote": (b'"store_id,status\n', "a quote is never closed"),
    "a long header": (b"a," * 40_000, "longer than"),
    "cut off": (ZIPPED[:-9], "damaged or cut off"),
    "cut off in its header": (ZIPPED[:3], "damaged or cut off"),
    "a wrong checksum": (ZIPPED[:-8] + b"12345678", "damaged or cut off"),
}


@pytest.mark.parametrize("what", NOT_CSV)
def test_what_is_no_csv_text(what: str):
    content, says = NOT_CSV[what]
    file = io.BytesIO(content)
    with pytest.raises(FileRejected, match=says):
        preview(file, "f.csv")
    assert file.tell() == 0


def test_a_file_that_is_not_there(tmp_path: Path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileRejected, match="is not a file"):
            preview(path, path.name)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("zipped", [False, True])
def test_line_ends_and_gzip_make_no_difference(end: str, zipped: bool):
    text = (HEADER + LINE.format(1) + LINE.format("!") + LINE.format(3)).replace("\n", end).encode()
    file = io.BytesIO(gzip.compress(text) if zipped else text)
    found = preview(file, "f.csv")
    assert found.rows["line"].tolist() == [2, 3, 4]
    assert found.rows["store_id"].tolist() == ["s1", "s!", "s3"]
    assert (found.lines, found.bad_lines) == (3, 1)
    assert not file.closed
    assert file.tell() == 0


@pytest.mark.parametrize("zipped", [False, True])
def test_the_whole_of_a_large_file_is_checked(zipped: bool):
    lines = 150_000
    text = (HEADER + "".join(map(LINE.format, range(lines))) + "!,active,soon\n").encode()
    told: list[tuple[int, int]] = []
    (found,) = previews(
        io.BytesIO(gzip.compress(text, 1) if zipped else text),
        "f.csv",
        progress=lambda *call: told.append(call),
    )
    assert found.rows["line"].tolist() == list(range(2, 202))
    assert (found.kind, found.lines, found.bad_lines) == ("polls", lines + 1, 1)
    assert found.problems[0].line == lines + 2
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]


def test_of_many_problems_the_first_are_kept():
    found = seen(HEADER + "a,resting,2023-01-22 12:09:39 UTC\n" * 2500)
    assert (found.bad_lines, len(found.problems)) == (2500, 1000)


def test_a_line_without_end():
    found = seen(HEADER + "x" * 4_000_000)
    assert found.rows.empty
    (problem,) = found.problems
    assert problem.line == 2
    assert "longer than" in problem.reason


def test_the_real_files(real_data: Path):
    kinds = {"store_status": "polls", "menu_hours": "business_hours", "timezones": "timezones"}
    for name, kind in kinds.items():
        path = real_data / f"{name}.csv.gz"
        found = preview(path, path.name)
        with gzip.open(path) as file:
            lines = sum(1 for _ in file) - 1
        assert (found.kind, len(found.rows), found.problems) == (kind, 200, [])
        assert found.lines == lines


cells: dict[str, Any] = {
    "polls": [
        st.sampled_from(["a", "8.4E+18", "-", "", '"q"', 'a"']),
        st.sampled_from(["2023-01-22 12:09:39 UTC", "2023-13-01 00:00:00", "", "x\r"]),
        st.sampled_from(["active", "Inactive", "resting", ""]),
    ],
    "business_hours": [
        st.sampled_from(["a", "é", ""]),
        st.sampled_from(["0", "6", "7", ""]),
        st.sampled_from(["09:00", "24:00", "9", '"09:00\n"', "closed", "24h"]),
        st.sampled_from(["17:00:00.5", "24:00", "x", ""]),
    ],
    "timezones": [
        st.sampled_from(["a", "b c"]),
        st.sampled_from(["America/Chicago", "Mars/X", "", "\udcff"]),
    ],
    "groups": [st.sampled_from(["a", "?"]), st.sampled_from(["East", " ", "a\tb", "x" * 65])],
}


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """(kind, content) of a small file whose lines may be good, bad or malformed."""
    kind = draw(st.sampled_from(sorted(cells)))
    row = st.tuples(*cells[kind]).map(",".join)
    odd = st.sampled_from(["", "a", "a,b,c,d,e", '"open', " "])
    lines = draw(st.lists(st.one_of(row, row, row, odd), max_size=12))
    text = "\n".join([",".join(LAYOUTS[kind]), *lines])
    text += draw(st.sampled_from(["", "\n"]))
    return kind, text.encode("utf-8", "surrogateescape")


@settings(max_examples=examples(300))
@given(files())
def test_a_small_file_is_seen_as_an_import_sees_it(file: tuple[str, bytes]):
    kind, content = file
    read, rejected = 0, {}
    choices = Choices(day_numbers="0-monday")
    checker = Checker(kind, StoreIds(), choices=choices)
    for batch in csv_reader.read_batches(io.BytesIO(content), "f.csv", kind):
        checked = checker.check(batch)
        read += checked.read
        rejected |= {r.line: r for r in checked.rejections}
    found = preview(io.BytesIO(content), "f.csv", choices=choices)
    assert (found.kind, found.lines) == (kind, read)
    assert found.problems == list(rejected.values())
