"""A small file of polls that is plain is read without PyArrow, to the same result as with it."""

import gzip
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from restmon.errors import FileRejected
from restmon.ingest import plain_polls, staging
from restmon.ingest.allowed import Allowed, Limits
from restmon.ingest.choices import Choices
from restmon.ingest.plain_polls import read_plain
from restmon.ingest.rejected import RejectedLines
from restmon.ingest.staging import SourceFile, Staging
from tests.support.examples import examples

HEADER = "store_id,status,timestamp_utc\n"
LATEST = 1_800_000_000_000_000  # 2027-01-15 08:00:00 UTC
LIMITS = Limits(10_000, 12, "RESTMON_MAX_FILE_MB", "RESTMON_MAX_LINES")

headers = st.one_of(
    st.permutations(["store_id", "status", "timestamp_utc"]).map(",".join),
    st.sampled_from(
        [
            "Store ID,Timestamp,STATUS",
            "store_id,status,timestamp_utc,reason",
            "store_id,status,timestamp_utc,other",
            "store_id;status;timestamp_utc",
            "\ufeffstore_id,status,timestamp_utc",
            "sep=,\nstore_id,status,timestamp_utc",
            '"store_id",status,timestamp_utc',
            "store_id,status",
            "shop,status,timestamp_utc",
        ]
    ),
)
plain_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,5}", fullmatch=True)
ids = st.one_of(
    plain_ids,
    st.sampled_from(
        ["", " x", "x ", "-x", "1e+21", "1,234,567", "é", '"x"', "x\0", "y" * 65, "#x"]
    ),
)
statuses = st.one_of(
    st.sampled_from(["active", "inactive"]),
    st.sampled_from(["Active", "online", "1", "", "up ", '"active"', "closed", "later"]),
)
plain_stamps = st.builds(
    "{:%Y-%m-%d %H:%M:%S}{} UTC".format,
    st.datetimes().filter(lambda moment: moment.year >= 1000),
    st.one_of(st.just(""), st.from_regex(r"\.[0-9]{1,6}", fullmatch=True)),
)
stamps = st.one_of(
    plain_stamps,
    st.sampled_from(
        [
            "2026-02-29 00:00:00 UTC",
            "2026-13-01 00:00:00 UTC",
            "2026-01-01 24:00:00 UTC",
            "2026-01-01 23:59:60 UTC",
            "2026-01-01 23:59:59. UTC",
            "2026-01-01 23:59:59.1234567 UTC",
            "2026-01-01 23:59:59,5 UTC",
            "2026-01-01T00:00:00 UTC",
            "2026-01-01 00:00:00Z",
            "2026-01-01 00:00:00",
            "2026-01-01 00:00 UTC",
            "2026-01-01 0:00:00 UTC",
            "2026-01-01 UTC",
            " 2026-01-01 00:00:00 UTC",
            "0000-01-01 00:00:00 UTC",
            "0001-01-01 00:00:00 UTC",
            "2027-01-15 08:00:00 UTC",
            "2027-01-15 08:00:00.000001 UTC",
            "11/12/2026 10:00",
            "1700000000",
            "NaT",
            "now UTC",
            "",
        ]
    ),
)
line_ends = st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"])
odd_lines = st.sampled_from(
    ["", " ", ",,", ",", "a,b", "a,b,c,d", HEADER.strip(), "# note", '"', "\0", ",,,,,", "\u00a0"]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Files of polls, about half of them plain throughout."""
    header = draw(headers)
    mostly_plain = draw(st.booleans())
    kinds = (plain_ids, st.sampled_from(["active", "inactive"]), plain_stamps)
    if not mostly_plain:
        kinds = (st.one_of(plain_ids, ids), st.one_of(kinds[1], statuses), stamps)
    names = [name.lower().strip() for name in header.split("\n")[-1].split(",")]
    lines = []
    for row in draw(st.lists(st.tuples(*kinds), max_size=15)):
        by_name = dict(zip(("store", "status", "time"), row, strict=True))
        cells = [next((v for k, v in by_name.items() if k in name), "?") for name in names]
        lines.append(",".join(cells))
        if not mostly_plain and draw(st.integers(0, 4)) == 0:
            lines.append(draw(odd_lines))
    end = "\n" if mostly_plain else draw(line_ends)
    text = header + end + end.join(lines) + draw(st.sampled_from(["", end]))
    data = text.encode()
    if not mostly_plain and draw(st.integers(0, 9)) == 0:
        data += b"\xff"
    return gzip.compress(data) if draw(st.integers(0, 9)) == 0 else data


def outcome(content: bytes, allowed: Allowed, choices: Choices, *, plainly: bool) -> Any:
    """Everything that an import gets from the content of two files that follow each other."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rejected = RejectedLines(folder)
        staged = Staging(folder, rejected, allowed)
        (folder / "p.csv").write_bytes(content)
        (folder / "before.csv").write_text(f"{HEADER}b,up,2026-01-01 00:00:00 UTC\n")
        told: list[tuple[int, int]] = []
        read = read_plain if plainly else lambda *_: None
        try:
            with mock.patch.object(staging, "read_plain", read):
                for file in ("before.csv", "p.csv"):
                    staged.read(
                        SourceFile("polls", folder / file, file, choices=choices),
                        lambda *progress: told.append(progress),
                    )
        except FileRejected as error:
            return error.message, error.hint
        finally:
            rejected.close()
        staged.flush()
        columns = [
            (p.store.tolist(), p.time.tolist(), p.status.tolist(), p.reasons.tolist())
            for p in staged.polls.by_row(np.arange(len(staged.ids.names)))
        ]
        lines = {path.name: path.read_bytes() for path in folder.glob("rejected*")}
        return (
            columns,
            staged.ids.names,
            staged.counts,
            rejected.first.as_json(),
            staged.notices,
            lines,
            told[-1],
        )


@given(
    files(),
    st.sampled_from(
        [
            Allowed(latest=LATEST),
            Allowed(latest=LATEST, permitted=frozenset("abcx0123456789")),
            Allowed(limits=LIMITS),
        ]
    ),
    st.sampled_from([Choices(), Choices(columns={"polls.store_id": "shop"})]),
)
@hypothesis_settings(max_examples=examples(400), deadline=None)
def test_both_ways_of_reading_have_the_same_result(
    content: bytes, allowed: Allowed, choices: Choices
):
    plain = outcome(content, allowed, choices, plainly=True)
    assert plain == outcome(content, allowed, choices, plainly=False)


def read(path: Path, content: str) -> plain_polls.PlainPolls | None:
    path.write_text(content, newline="")
    return read_plain(path, path.name, {}, Allowed())


def test_what_is_plain(tmp_path: Path):
    path = tmp_path / "p.csv"
    found = read(
        path,
        "timestamp_utc,store_id,status\n"
        "2023-01-22 12:09:39.388884 UTC,7,active\n2023-01-22 12:09:39.5 UTC,8,inactive\n"
        "1969-12-31 23:59:59 UTC,7,active",
    )
    assert found is not None
    assert found.ids == [b"7", b"8", b"7"]
    assert found.instants.tolist() == [1_674_389_379_388_884, 1_674_389_379_500_000, -1_000_000]
    assert found.statuses.tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    "line",
    [
        "x,Active,2023-01-22 12:09:39 UTC\n",
        "x,active,2023-01-22 12:09:39Z\n",
        "x,active,2023-02-29 12:09:39 UTC\n",
        '"x",active,2023-01-22 12:09:39 UTC\n',
        "x,active,2023-01-22 12:09:39 UTC,\n",
        "x,active\n",
        "\n",
    ],
)
def test_one_line_that_deviates_leaves_the_file_to_pyarrow(tmp_path: Path, line: str):
    good = "y,active,2023-01-22 12:09:39 UTC\n"
    assert read(tmp_path / "p.csv", HEADER + good) is not None
    assert read(tmp_path / "p.csv", HEADER + good + line + good) is None


def test_a_large_file_is_left_to_pyarrow(tmp_path: Path):
    line = "y,active,2023-01-22 12:09:39 UTC\n"
    with mock.patch.object(plain_polls, "MOST_BYTES", 3 * len(line) + 1):
        assert read(tmp_path / "p.csv", HEADER + line * 3) is not None
        assert read(tmp_path / "p.csv", HEADER + line * 4) is None
