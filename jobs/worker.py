"""The worker process: a Huey consumer with a sweep at its start and a sign of life."""

import logging
import os
import signal
import threading

from huey.consumer import Consumer
from peewee import PeeweeException

from jobs.queue import huey
from jobs.tasks import look_at_folder, recover
from restmon.leasing import heartbeats
from restmon.notify.secrets import check_key
from restmon.ops import taking_over, watchdog
from restmon.settings import get_settings
from restmon.storage import database

log = logging.getLogger("restmon.worker")
HEARTBEAT_SECONDS = 5
SHUTDOWN_SECONDS = 20
MARGIN_SECONDS = 300
"""A task that takes too long stops by itself. One that has not stopped by then hangs."""


class _Heartbeat:
    def __init__(self) -> None:
        self.name = f"{heartbeats.machine_prefix()}{os.getpid()}"
        self.started_at = database.clock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="worker-heartbeat", daemon=True)

    def __enter__(self) -> None:
        heartbeats.beat(self.name, self.started_at)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        heartbeats.remove(self.name)

    def _run(self) -> None:
        while not self._stop.wait(HEARTBEAT_SECONDS):
            try:
                heartbeats.beat(self.name, self.started_at)
            except PeeweeException as error:
                log.warning("heartbeat not written: %s", error)


class _Consumer(Consumer):
    def start(self) -> None:
        super().start()
        # Huey lets running work finish on one of the two signals only; here both are polite.
        signal.signal(signal.SIGINT, lambda *_: os.kill(os.getpid(), signal.SIGTERM))


def run() -> None:
    """Work until SIGTERM or SIGINT. Running work then has 20 seconds to finish.

    The caller has opened the database and the queue. Raises KeyChanged.
    """
    settings = get_settings()
    check_key()
    with _Heartbeat():
        taking_over.take_over()
        recover()
        look_at_folder()
        consumer = _Consumer(
            huey,
            workers=settings.workers,
            initial_delay=0.05,
            max_delay=0.25,
            backoff=1.2,
            graceful_signal="TERM",
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        longest = settings.max_job_minutes * 60 + MARGIN_SECONDS
        watchdog.start(lambda: huey.stuck(settings.workers, longest))
        print(f"worker ready, {settings.workers} threads", flush=True)  # noqa: T201
        consumer.run()
