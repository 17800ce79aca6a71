"""A socket in place of systemd's."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread


@contextmanager
def systemd(path: Path) -> Iterator[SimpleQueue[str]]:
    """The messages that a process sends to systemd's socket."""
    heard: SimpleQueue[str] = SimpleQueue()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(path))

        def listen() -> None:
            while said := end.recv(4096):
                heard.put(said.decode())

        thread = Thread(target=listen, daemon=True)
        thread.start()
        yield heard
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(path))
        thread.join()
