"""How many complete reports a second ``/get_report`` gives, as JSON with the CSV in it.

The clients are a process of their own (``python -m benchmarks.whole_answers URL SECONDS GZIP``):
connections that stay open, and ask again as soon as an answer has come.
"""

import gzip
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from socket import create_connection
from urllib.parse import urlsplit
from urllib.request import urlopen

from benchmarks.load import served_reports

CONNECTIONS = 4
SECONDS = 4.0


def measure(env: dict[str, str], folder: Path) -> dict[str, float]:
    """Answers a second to clients that accept gzip, and to those that do not."""
    found = {}
    with served_reports(env, folder, workers=1) as (base, newest):
        url = f"{base}/get_report?report_id={newest}"
        for gzipped in ("gzip", ""):
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.whole_answers", url, str(SECONDS), gzipped],
                cwd=folder,
                env=env,
                capture_output=True,
                text=True,
                check=True,
            )
            found[gzipped or "plain"] = float(done.stdout)
    return found


def ask_often(url: str, seconds: float, gzipped: str) -> float:
    """The whole answers a second of all connections."""
    parts = urlsplit(url)
    accept = f"Accept-Encoding: {gzipped or 'identity'}\r\n"
    request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{accept}\r\n"
    expected = check_whole(url)
    begin = time.perf_counter() + 0.5  # until each connection is open and has its first answer
    counts: list[int] = []

    def client() -> None:
        count = 0
        with create_connection((parts.hostname, parts.port), 30) as connection:
            room = bytearray(4 * 2**20)
            while (now := time.perf_counter()) < begin + seconds:
                connection.sendall(request.encode())
                body = receive(connection, room)
                count += now >= begin
        content = gzip.decompress(body) if gzipped else bytes(body)
        assert json.loads(content) == expected
        counts.append(count)

    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == CONNECTIONS
    return sum(counts) / seconds


def check_whole(url: str) -> object:
    """The answer, which has the CSV."""
    with urlopen(url, timeout=60) as answer:
        found = json.load(answer)
    assert found["status"] == "Complete"
    assert found["csv"].count("\n") == found["stores"] + 1
    return found


def receive(connection: object, room: bytearray) -> memoryview:
    """The body of an answer, in the room for it."""
    view, filled = memoryview(room), 0
    while (end := room.find(b"\r\n\r\n", 0, filled)) < 0:
        filled += connection.recv_into(view[filled:])  # type: ignore[attr-defined]
    head = bytes(view[:end]).lower()
    assert head.startswith(b"http/1.1 200 "), head
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    begin, end = end + 4, end + 4 + length
    while filled < end:
        filled += connection.recv_into(view[filled:])  # type: ignore[attr-defined]
    return view[begin:end]


if __name__ == "__main__":
    print(ask_often(sys.argv[1], float(sys.argv[2]), sys.argv[3]))
