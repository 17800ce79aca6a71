"""The log while the queue does not answer: one warning a minute, no traceback for each try."""

import logging
import threading
import time
from collections.abc import Callable

import psycopg
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

AWAY = (RedisConnectionError, RedisTimeoutError, psycopg.OperationalError, ConnectionError)
SECONDS = 60
LOGGERS = (
    "huey",
    "huey.consumer",
    "huey.consumer.Worker",
    "huey.consumer.Scheduler",
    "restmon.api",
    "restmon.jobs",
)


class OneWarningAMinute(logging.Filter):
    """Turns the tracebacks of a queue that does not answer into one warning a minute, which counts
    those since the last warning. Other records pass unchanged.

    ``clock`` returns seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._next = 0.0
        self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        error = record.exc_info[1] if record.exc_info else None
        if not is_away(error):
            return True
        with self._lock:
            moment = self._clock()
            if self._next and moment < self._next:
                self._left_out += 1
                return False
            more = f" ({self._left_out:,} more tries failed)" if self._left_out else ""
            self._next, self._left_out = moment + SECONDS, 0
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info, record.exc_text, record.args = None, None, ()
        record.msg = f"The queue does not answer: {' '.join(str(error).split())}.{more}"
        return True


def is_away(error: BaseException | None) -> bool:
    """Whether an error, or its cause, says that a server does not answer."""
    while error is not None:
        if isinstance(error, AWAY):
            return True
        error = error.__cause__
    return False


def install() -> None:
    """Pass everything that this process logs about the queue through one filter."""
    one = OneWarningAMinute()
    for name in LOGGERS:
        logging.getLogger(name).addFilter(one)
