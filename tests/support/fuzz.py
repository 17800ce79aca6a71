"""Generated input against the readers of files and the API, in this process.

``python -m tests.support.fuzz`` (``make fuzz``) tries many: RESTMON_FUZZ_INPUTS of them, 100,000
unless told otherwise. The tests try a few of the same.
"""

import gzip
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import strategies as st

from restmon.core.instants import EARLIEST, LATEST
from restmon.errors import FileRejected, RestmonError
from restmon.ingest import preview
from restmon.ingest.choices import Choices
from restmon.ingest.csv_reader import read_batches
from restmon.ingest.headers import COLUMNS, LAYOUTS, POLLS, columns_of
from restmon.ingest.validation import Checker
from restmon.ingest.values.store_ids import STORE_ID, StoreIds
from tests.support import hostile, written

CHOICES = Choices(day_numbers="0-monday", date_order="day-first")
BOUNDARY = b"fuzz"
PART_NAMES = [b"polls", b"business_hours", b"timezones", b"other", b"", b"\xff"]
FILE_NAMES = [b"p.csv", b"../../etc/passwd", b"a\0b.csv", b"", b"\xff.csv", b"x" * 300, b"=1+1"]


def read_all(kind: str, content: bytes) -> tuple[int, list[Any]] | None:
    """The number of lines read and the rejected ones of a file as an import reads it; None where
    it is rejected whole. Checks what always holds."""
    ids = StoreIds()
    read, good_lines, rejections = 0, 0, []
    try:
        checker = Checker(kind, ids, choices=CHOICES)
        for batch in read_batches(io.BytesIO(content), "f.csv", kind):
            found = checker.check(batch)
            assert all(len(values) == len(found.line) for values in found.values.values())
            assert (np.diff(batch.line) > 0).all()
            if kind == POLLS:
                times = found.values["timestamp_utc"]
                assert ((times >= EARLIEST) & (times <= LATEST)).all()
            assert found.read == len(found.line) + len(found.rejections)
            read += len(batch.line) + len(batch.malformed)
            good_lines += len(np.unique(found.line))
            rejections += found.rejections
    except FileRejected as error:
        assert error.message
        assert error.message.isprintable()
        return None
    assert read == good_lines + len(rejections)
    for name in ids.names:
        assert STORE_ID.fullmatch(name.encode())
    for bad in rejections:
        assert bad.reason
        assert len(bad.value) <= 200
        assert "\0" not in bad.value
        bad.value.encode()
    return read, rejections


def check_file(kind: str, content: bytes) -> None:
    """An import reads the file, the preview looks at it, and both see the same."""
    found = read_all(kind, content)
    try:
        shown = preview.preview(io.BytesIO(content), "f.csv", choices=CHOICES)
    except FileRejected:
        assert found is None
        return
    if shown.kind == kind:
        if found is None:
            raise AssertionError("the preview promised what the import rejects")
        read, rejections = found
        assert shown.lines == read
        assert {bad.line for bad in shown.problems} == {bad.line for bad in rejections}
    assert set(shown.columns.values()) <= {name for kind in LAYOUTS for name in columns_of(kind)}


CONTAINERS = ("plain", "gzip", "zip", "workbook")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")
DELIMITERS = (",", ";", "\t", "|")
CHOSEN = st.builds(
    Choices,
    day_numbers=st.sampled_from([None, "0-monday", "1-monday", "1-sunday", "0-sunday"]),
    date_order=st.sampled_from([None, "month-first", "day-first"]),
)


@st.composite
def packed(draw: st.DrawFn) -> dict[str, bytes]:
    """Several files of one import, in any container, encoding and delimiter."""
    contents = {}
    for n in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(list(COLUMNS)))
        text = draw(hostile.files(kind)).decode("utf-8", "replace")
        text = text.replace(",", draw(st.sampled_from(DELIMITERS)))
        contents[f"{n}.csv"] = text.encode(draw(st.sampled_from(ENCODINGS)))
    how = draw(st.sampled_from(CONTAINERS))
    if how == "plain":
        return contents
    if how == "gzip":
        return {f"{name}.gz": gzip.compress(content, 1) for name, content in contents.items()}
    if how == "workbook":
        sheets = {name: _cells(content) for name, content in contents.items()}
        whole = written.workbook(sheets)
    else:
        whole = written.zipped(contents)
    if not draw(st.integers(0, 3)):
        place = draw(st.integers(0, len(whole)))
        whole = whole[:place] + draw(hostile.VALUE) + whole[place + draw(st.integers(0, 9)) :]
    return {"f.xlsx" if how == "workbook" else "f.zip": whole}


def _cells(content: bytes) -> list[list[str]]:
    """Lines of a file as rows of a sheet, which holds no control characters."""
    text = content.decode("utf-8", "replace")
    rows = [line.split(",") for line in text.splitlines()]
    return [["".join(filter(str.isprintable, cell))[:200] for cell in row] for row in rows]


def check_import(case: tuple[dict[str, bytes], Choices]) -> None:
    """An import of several files, as somebody drops them, ends or says in a sentence why not."""
    from restmon.ingest import imports, incoming_files
    from restmon.settings import get_settings
    from restmon.storage.models import COMPLETE, FAILED

    files, choices = case
    with tempfile.TemporaryDirectory(dir=get_settings().data_dir) as folder:
        try:
            tables = []
            for name, content in files.items():
                path = Path(folder) / name
                path.write_bytes(content)
                tables += incoming_files.tables_of(path, name, None, choices)
            if not tables:
                return
            row = imports.run_now(tables)
        except RestmonError as error:
            assert error.message
            assert error.message.isprintable()
            return
        assert row.status in {COMPLETE, FAILED}
        assert (row.error is None) == (row.status == COMPLETE)
        counts = row.counts or dict.fromkeys(("read", "new", "updated", "unchanged", "rejected"), 0)
        done = sum(counts[name] for name in ("new", "updated", "unchanged", "rejected"))
        assert done == counts["read"]


@st.composite
def multiparts(draw: st.DrawFn) -> tuple[bytes, str]:
    """A body of POST /import_data and its content type: a form, or nearly one."""
    parts = []
    for _ in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(list(COLUMNS)))
        name = draw(st.sampled_from([kind.encode(), kind.encode(), *PART_NAMES]))
        head = b'Content-Disposition: form-data; name="' + name + b'"'
        if draw(st.integers(0, 5)):
            head += b'; filename="' + draw(st.sampled_from(FILE_NAMES)) + b'"'
        if not draw(st.integers(0, 5)):
            head += b"\r\n" + draw(hostile.VALUE) + b": " + draw(hostile.VALUE)
        parts.append(b"--" + BOUNDARY + b"\r\n" + head + b"\r\n\r\n" + draw(hostile.files(kind)))
    body = b"\r\n".join([*parts, b"--" + BOUNDARY + b"--\r\n"])
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(body)))
        body = body[:place] + draw(hostile.VALUE) + body[place + draw(st.integers(0, 30)) :]
    boundaries = ["multipart/form-data; boundary=fuzz"] * 8
    boundaries += ["multipart/form-data", 'multipart/form-data; boundary="', "text/csv", ""]
    return body, draw(st.sampled_from(boundaries))


def ask(body: bytes, content_type: str, path: str = "/import_data", query: str = "") -> int:
    """The status of the API's answer, which is JSON of the known form."""
    return answer_to(body, content_type, path, query)[0]


def answer_to(
    body: bytes, content_type: str, path: str = "/import_data", query: str = ""
) -> tuple[int, Any]:
    """The status and the JSON of the API's answer, which has the known form."""
    import api_server

    said: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        said["status"], said["headers"] = int(status[:3]), dict(headers)

    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "waitress.client_disconnected": lambda: False,
    }
    answer = json.loads(b"".join(api_server.serve(environ, start)))
    assert said["status"] < 500, answer
    assert said["status"] not in {401, 403}, answer  # or nothing would be tried
    assert ("error" in answer) == (said["status"] >= 400), answer
    if said["status"] >= 400:
        error = answer["error"]
        assert error["code"] != "internal_error"
        assert error["message"]
    return int(said["status"]), answer


def check_form(form: tuple[bytes, str]) -> None:
    """The API answers to a form, and an import it accepts comes to its end."""
    from restmon.ingest import imports
    from restmon.storage.database import session
    from restmon.storage.models import RUNNING, Import

    if ask(*form) == 202:
        with session():
            waiting = [row.id for row in Import.select().where(Import.status == RUNNING)]
        for import_id in waiting:
            assert imports.work(import_id)
            assert imports.get(import_id).status != RUNNING
            imports.describe(imports.get(import_id))


def check_body(case: tuple[bytes, str, str]) -> None:
    """The API answers to a body of /get_report or /trigger_report."""
    body, content_type, path = case
    ask(body, content_type, path)


FIELDS = ["report_id", "as_of", "method", "format", "x"]
TYPES = ["application/json", "application/x-www-form-urlencoded", "text/plain", "", "multipart/x"]
BODIES = st.tuples(
    st.one_of(
        st.lists(hostile.VALUE, max_size=6).map(b"".join),
        st.dictionaries(
            st.sampled_from(["report_id", "as_of", "method", "format", "x"]), hostile.JSON
        )
        .map(json.dumps)
        .map(str.encode),
    ),
    st.sampled_from(TYPES),
    st.sampled_from(["/get_report", "/trigger_report"]),
)


def run(target: Callable[[Any], None], inputs: st.SearchStrategy[Any], count: int) -> None:
    """Try so many generated inputs; raises what the first bad one, made small, brings about."""
    tried = settings(
        max_examples=count,
        deadline=None,
        database=None,
        verbosity=Verbosity.quiet,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )

    def tried_with(case: Any) -> None:
        target(case)

    tried(given(inputs)(tried_with))()


def targets() -> dict[str, tuple[Callable[[Any], None], st.SearchStrategy[Any], float]]:
    """What is tried, by name: a function, its inputs, and its share of all inputs."""
    found: dict[str, Any] = {}
    for kind in hostile.kinds():
        found[kind] = (
            lambda content, kind=kind: check_file(kind, content),
            hostile.files(kind),
            0.2,
        )
    found["imports"] = (check_import, st.tuples(packed(), CHOSEN), 0.02)
    found["forms"] = (check_form, multiparts(), 0.1)
    found["bodies"] = (check_body, BODIES, 0.1)
    return found


def main() -> None:
    """Try all targets, or those that are named, on a database of their own, and print how many
    inputs each was given."""
    from restmon.settings import get_settings
    from restmon.storage import database

    count = int(os.environ.get("RESTMON_FUZZ_INPUTS", "100000"))
    with tempfile.TemporaryDirectory(prefix="restmon-fuzz-") as folder:
        os.environ["RESTMON_DATABASE_URL"] = f"sqlite:///{folder}/restmon.db"
        os.environ["RESTMON_QUEUE_URL"] = f"sqlite:///{folder}/queue.db"
        os.environ["RESTMON_DATA_DIR"] = str(Path(folder) / "data")
        get_settings.cache_clear()
        get_settings().data_dir.mkdir()
        database.configure()
        tried = 0
        for name, (target, inputs, share) in targets().items():
            if name not in (sys.argv[1:] or [name]):
                continue
            begin = time.perf_counter()
            run(target, inputs, round(count * share))
            seconds = time.perf_counter() - begin
            print(f"{name:15} {round(count * share):>9,} inputs  {seconds:8.1f} s", flush=True)
            tried += round(count * share)
    print(f"{tried:,} inputs in all, no error that is not one sentence")


if __name__ == "__main__":
    main()
