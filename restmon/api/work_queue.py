"""Whether the queue answers."""

import logging

from jobs.queue import huey
from restmon.errors import DatabaseUnavailable

log = logging.getLogger("restmon.api")


def queue_depth() -> int:
    """Return how many tasks wait.

    Raises
    ------
    DatabaseUnavailable
        If the queue does not answer.
    """
    try:
        return int(huey.pending_count())
    except Exception as error:
        log.warning("the queue does not answer", exc_info=error)
        raise DatabaseUnavailable(
            "The queue does not answer.", "Start its server or correct RESTMON_QUEUE_URL."
        ) from None
