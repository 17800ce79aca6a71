"""Reads a file in one thread while another works on what was read before."""

import threading
from collections.abc import Generator, Iterator
from queue import Queue
from typing import Any, TypeVar

T = TypeVar("T")

AHEAD = 4
"""How many pieces wait. One more is being read, and one is being worked on."""


def read_ahead(pieces: Generator[T, None, None]) -> Iterator[T]:
    """Yield the pieces, of which the next is made in a thread of its own while the caller works.

    Raises what making one raises. The thread has ended when this ends, also if the caller stops
    before the last piece.
    """
    ready: Queue[tuple[str, Any]] = Queue()
    room = threading.Semaphore(AHEAD + 1)
    stopped = False

    def read() -> None:
        try:
            while True:
                room.acquire()
                if stopped:
                    pieces.close()
                    return
                ready.put(("piece", next(pieces)))
        except StopIteration:
            ready.put(("end", None))
        except BaseException as error:  # the caller's thread raises it
            ready.put(("error", error))

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while (found := ready.get())[0] == "piece":
            yield found[1]
            room.release()
        if found[0] == "error":
            raise found[1]
    finally:
        stopped = True
        room.release()
        thread.join()
