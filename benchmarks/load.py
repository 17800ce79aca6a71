"""``/get_report`` under load: an API and a worker process, and clients that ask both."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import socket
from urllib.request import urlopen

PAUSE_SECONDS = 0.5
"""Between one client's requests."""
NEXT_REPORT_SECONDS = 0.3


@dataclass
class Load:
    """Seconds of each answer, what went wrong, and how many reports were made meanwhile."""

    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    reports: int = 0


def free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served_reports(env: dict[str, str], folder: Path, workers: int) -> Iterator[tuple[str, str]]:
    """An API and worker processes: the API's address, and the id of a complete report."""
    port = free_port()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "restmon", name],
            env=env | {"RESTMON_API_PORT": str(port)},
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in [*["worker"] * workers, "api"]
    ]
    base = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{base}/openapi.json")
        newest = trigger(base)
        while state(base, newest) == "Running":
            time.sleep(0.1)
        yield base, newest
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(40)


def trigger(base: str) -> str:
    """The id of a report that is asked for."""
    with urlopen(f"{base}/trigger_report", timeout=60) as answer:
        return str(json.load(answer)["report_id"])


def state(base: str, report_id: str) -> str:
    """The state of a report."""
    url = f"{base}/get_report?report_id={report_id}&format=status"
    with urlopen(url, timeout=60) as answer:
        return str(json.load(answer)["status"])


def measure(env: dict[str, str], folder: Path, clients: int, requests: int) -> Load:
    """The clients' requests for the state of the newest report, while one report is asked for
    after the other."""
    found = Load()
    done = threading.Event()
    with served_reports(env, folder, workers=1) as (base, first):
        newest = first
        port = int(base.rpartition(":")[2])

        def feed() -> None:
            nonlocal newest
            while not done.is_set():
                newest = trigger(base)
                while not done.wait(NEXT_REPORT_SECONDS) and state(base, newest) == "Running":
                    pass
                found.reports += 1

        def client(number: int) -> None:
            time.sleep(number * PAUSE_SECONDS / clients)
            for _ in range(requests):
                path = f"/get_report?report_id={newest}&format=status"
                begin = time.perf_counter()
                try:
                    connection = HTTPConnection("127.0.0.1", port, timeout=30)
                    connection.request("GET", path)
                    answer = connection.getresponse()
                    answer.read()
                    connection.close()
                    if answer.status != 200:
                        raise HTTPException(f"status {answer.status}")
                    found.latencies.append(time.perf_counter() - begin)
                except (OSError, HTTPException) as error:
                    found.errors.append(f"{type(error).__name__}: {error}")
                time.sleep(PAUSE_SECONDS)

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            with ThreadPoolExecutor(clients) as pool:
                list(pool.map(client, range(clients)))
        finally:
            done.set()
            feeder.join()
    return found


def wait_for(url: str) -> None:
    """Until somebody answers there."""
    for _ in range(300):
        try:
            urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"Nothing answers at {url}.")
