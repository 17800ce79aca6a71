"""Files that are kept beside rows: one suite over the folder and the database."""

import io
import os
import random
import subprocess
import sys
import threading
import zlib
from typing import IO

import pytest

from restmon.core.instants import DAY
from restmon.errors import RestmonError
from restmon.storage import database, files, models
from restmon.storage.file_models import FileChunk, StoredFile
from restmon.storage.files import Kind
from restmon.storage.files.chunks import CHUNK
from tests.support import kept
from tests.support.environment import ROOT
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17]
KEYS = {
    Kind.UPLOAD: "a.upload",
    Kind.PART: "a/00000-b.csv",
    Kind.REPORT: "a.csv",
    Kind.DOCUMENT: "a.pdf",
    Kind.REJECTED: "a.zip",
}


def content_of(size: int, *, packs: bool) -> bytes:
    """So many bytes, which can be compressed well, or not at all."""
    if packs:
        return (b"store,60.00,24.00,168.00,0.00\n" * (size // 30 + 1))[:size]
    return random.Random(size).randbytes(size)


class Slowly(io.RawIOBase):
    """A stream that gives a few bytes at a time."""

    def __init__(self, content: bytes, most: int) -> None:
        self._rest, self._most = content, most

    def read(self, size: int = -1) -> bytes:
        size = min(self._most, len(self._rest) if size < 0 else size)
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_what_was_stored_comes_back(workspace: Workspace, size: int, packs: bool):
    content = content_of(size, packs=packs)
    sources: list[bytes | IO[bytes]] = [content, io.BytesIO(content), Slowly(content, 300_000)]
    for number, source in enumerate(sources):
        key = f"{number}.csv"
        assert files.save(Kind.REPORT, key, source) == size
        assert files.read(Kind.REPORT, key) == content
        found = files.find(Kind.REPORT, key)
        assert found
        assert (found.key, found.size, found.suffix) == (key, size, ".csv")
        with files.open_file(Kind.REPORT, key) as stream:
            assert stream.read(10) == content[:10]
            assert stream.read() == content[10:]


def test_any_reads_give_the_same_bytes(workspace: Workspace):
    content = content_of(5 * CHUNK + 3, packs=True)
    files.save(Kind.REPORT, "a.csv", content)
    chance = random.Random(1)
    with files.open_file(Kind.REPORT, "a.csv") as stream:
        pieces = [b"x"]
        while pieces[-1]:
            pieces.append(stream.read(chance.choice([1, 1000, CHUNK - 1, CHUNK, 2 * CHUNK + 1])))
    assert b"".join(pieces[1:]) == content


def test_the_kinds_do_not_mix(workspace: Workspace):
    for kind, key in KEYS.items():
        files.save(kind, key, kind.value.encode())
    for kind, key in KEYS.items():
        assert files.read(kind, key) == kind.value.encode()
        assert kept.keys(kind) == [key]
    files.delete(Kind.PART, KEYS[Kind.PART])
    assert kept.keys(Kind.PART) == []
    assert kept.keys(Kind.REPORT) == [KEYS[Kind.REPORT]]


def test_a_file_replaces_one_of_its_name(workspace: Workspace):
    for text in (b"first", b"the second", b"3"):
        files.save(Kind.DOCUMENT, "a.pdf", text)
    assert files.read(Kind.DOCUMENT, "a.pdf") == b"3"
    assert [file.size for file in files.list_files(Kind.DOCUMENT)] == [1]
    with database.session():
        assert StoredFile.select().count() == FileChunk.select().count() <= 1


def test_a_list_has_the_keys_that_begin_so(workspace: Workspace):
    for key in ("a/2.csv", "b/1.csv", "a/1.csv", "aa/1.csv"):
        files.save(Kind.PART, key, key.encode())
    assert [f.key for f in files.list_files(Kind.PART, "a/")] == ["a/1.csv", "a/2.csv"]
    assert len(list(files.list_files(Kind.PART))) == 4


@pytest.mark.parametrize("key", ["none.csv", "none/none.csv", "n\0ne"])
def test_what_is_not_there(workspace: Workspace, key: str):
    kind = Kind.PART if "/" in key else Kind.REPORT
    if "\0" not in key:
        assert files.find(kind, key) is None
        with pytest.raises(FileNotFoundError):
            files.open_file(kind, key)
        with pytest.raises(FileNotFoundError):
            files.copy(kind, key, workspace.path)
        files.delete(kind, key)
    assert list(files.list_files(kind)) == []


def test_a_file_of_this_machine_is_moved_in(workspace: Workspace):
    content = content_of(CHUNK + 5, packs=False)
    path = workspace.write("here.csv", content)
    with database.updating():
        files.take(Kind.REJECTED, "a.csv", path)
    assert not path.exists()
    assert files.read(Kind.REJECTED, "a.csv") == content
    folder = workspace.path / "own"
    folder.mkdir()
    copy = files.copy(Kind.REJECTED, "a.csv", folder)
    assert copy.read_bytes() == content
    assert files.read(Kind.REJECTED, "a.csv") == content


def test_a_file_and_its_row_are_one(workspace: Workspace):
    report = models.Report.create()
    files.save(Kind.REPORT, "a.csv", b"before")

    def finish(*, fails: bool) -> None:
        with files.prepare(Kind.REPORT, "a.csv", b"after") as keep, database.updating():
            models.Report.update(status=models.COMPLETE).execute()
            if fails:
                raise KeyboardInterrupt
            keep()

    with pytest.raises(KeyboardInterrupt):
        finish(fails=True)
    assert files.read(Kind.REPORT, "a.csv") == b"before"
    assert models.Report.get_by_id(report.id).status == models.RUNNING
    assert files.clean(models.now() + DAY) == 0  # nothing is left of it
    finish(fails=False)
    assert files.read(Kind.REPORT, "a.csv") == b"after"
    assert models.Report.get_by_id(report.id).status == models.COMPLETE


def test_a_stream_that_breaks_off_leaves_the_file_as_it_was(workspace: Workspace):
    files.save(Kind.REPORT, "a.csv", b"before")

    class Broken(io.RawIOBase):
        left = 3

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            if self.left < 0:
                raise ValueError("cut off")
            return b"x" * min(size, CHUNK)

    with pytest.raises(ValueError, match="cut off"):
        files.save(Kind.REPORT, "a.csv", Broken())
    assert files.read(Kind.REPORT, "a.csv") == b"before"
    assert files.clean(models.now() + DAY) == 0


DIES = """
import os, sys
from restmon.settings import get_settings
from restmon.storage import database, files, models
from restmon.storage.files import Kind
database.configure(get_settings())

class Dies:
    left = 3
    def read(self, size=-1):
        self.left -= 1
        if self.left < 0:
            os._exit(9)
        return os.urandom(2 ** 20)

if sys.argv[1] == "between chunks":
    files.save(Kind.UPLOAD, "dead.upload", Dies())
else:
    with files.prepare(Kind.REPORT, sys.argv[2] + ".csv", b"half done") as keep:
        with database.updating():
            models.Report.update(status=models.COMPLETE).execute()
            if sys.argv[1] == "after the file":
                keep()
            os._exit(9)
"""


@pytest.mark.parametrize("when", ["between chunks", "after the file", "after the row"])
def test_a_process_that_is_killed_leaves_no_half_file(workspace: Workspace, when: str):
    report = models.Report.create()
    environment = {**os.environ, **workspace.env, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", DIES, when, report.id], env=environment, timeout=120, check=False
    )
    assert done.returncode == 9
    assert models.Report.get_by_id(report.id).status == models.RUNNING
    assert kept.keys(Kind.UPLOAD) == []
    in_folder = not files.in_database()
    if not (in_folder and when == "after the file"):  # where it may be there before its row says so
        assert kept.keys(Kind.REPORT) == []
    files.clean(models.now() - DAY)  # younger ones may be under way
    left = files.clean(models.now() + DAY)
    assert left == (1 if when == "between chunks" else int(in_folder and when == "after the row"))
    with database.session():
        assert not StoredFile.select().exists()
        assert not FileChunk.select().exists()
    # The next attempt writes it whole.
    files.save(Kind.REPORT, f"{report.id}.csv", b"all of it")
    assert files.read(Kind.REPORT, f"{report.id}.csv") == b"all of it"


def test_writers_of_one_name_leave_one_whole_file(workspace: Workspace):
    texts = [bytes([65 + n]) * (CHUNK + n) for n in range(6)]

    def write(text: bytes) -> None:
        for _ in range(3):
            files.save(Kind.REPORT, "a.csv", text)

    threads = [threading.Thread(target=write, args=[text]) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert files.read(Kind.REPORT, "a.csv") in texts
    assert kept.keys(Kind.REPORT) == ["a.csv"]
    files.delete(Kind.REPORT, "a.csv")
    assert kept.keys(Kind.REPORT) == []
    with database.session():
        assert not FileChunk.select().exists()


def test_a_file_that_is_deleted_under_its_reader_is_told(workspace: Workspace):
    content = content_of(4 * CHUNK, packs=True)
    files.save(Kind.REPORT, "a.csv", content)
    stream = files.open_file(Kind.REPORT, "a.csv")
    begin = stream.read(10)
    files.delete(Kind.REPORT, "a.csv")
    if files.in_database():
        with pytest.raises(RestmonError, match="deleted while it was read"):
            stream.read()
    else:
        assert begin + stream.read() == content


def test_a_chunk_is_compressed_where_that_pays(workspace: Workspace):
    files.save(Kind.REPORT, "text.csv", content_of(3 * CHUNK, packs=True))
    files.save(Kind.REPORT, "noise.gz", content_of(3 * CHUNK, packs=False))
    sizes = {file.key: file.packed for file in files.list_files(Kind.REPORT)}
    assert sizes["noise.gz"] == 3 * CHUNK
    packed = len(zlib.compress(content_of(CHUNK, packs=True), 1)) * 4
    assert sizes["text.csv"] < packed if files.in_database() else sizes["text.csv"] == 3 * CHUNK


def test_files_are_where_they_should_be(workspace: Workspace, database_kind: str):
    files.save(Kind.REPORT, "a.csv", b"x")
    folder = workspace.path / "data" / "reports"
    path = files.path_of(Kind.REPORT, "a.csv")
    if database_kind == "sqlite":
        assert files.where(Kind.REPORT) == "the reports folder"
        assert path == folder / "a.csv"
    else:
        assert files.where(Kind.REPORT) == "the database"
        assert path is None
        assert not folder.exists()


MEASURE = """
import resource, sys
from restmon.settings import get_settings
from restmon.storage import database, files
from restmon.storage.files import Kind
database.configure(get_settings())

class Large:
    left, block = int(sys.argv[1]) * 2 ** 20, b""
    def read(self, size=-1):
        import os
        size = min(size, self.left)
        self.left -= size
        return os.urandom(size)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

files.save(Kind.UPLOAD, "small.upload", b"x" * 3 * 2 ** 20)
files.read(Kind.UPLOAD, "small.upload")
before = peak()
size = files.save(Kind.UPLOAD, "large.upload", Large())
with files.open_file(Kind.UPLOAD, "large.upload") as stream:
    while piece := stream.read(2 ** 20):
        size -= len(piece)
from pathlib import Path
copy = files.copy(Kind.UPLOAD, "large.upload", Path(sys.argv[2]))
print(size, copy.stat().st_size, peak() - before)
"""


@pytest.mark.slow
def test_a_large_upload_is_never_in_memory_as_a_whole(workspace: Workspace):
    megabytes = 300
    environment = {**os.environ, **workspace.env, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(megabytes), str(workspace.path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    left, copied, grown = map(int, done.stdout.split())
    assert (left, copied) == (0, megabytes * 2**20)
    assert grown < 30, f"it grew by {grown} MB"
    files.delete(Kind.UPLOAD, "large.upload")
