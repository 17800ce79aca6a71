"""A TCP proxy on 127.0.0.1 whose cable can be cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Forwards connections to a port. ``cut`` refuses and resets (loud) or only swallows
    (silent); ``mend`` forwards again."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.open = threading.Event()
        self.open.set()
        self.refusing = False
        self.stopped = False
        self._pairs: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, *, silent: bool) -> None:
        self.refusing = not silent
        self.open.clear()
        if not silent:
            self._reset()

    def mend(self) -> None:
        self.refusing = False
        self.open.set()

    def stop(self) -> None:
        self.stopped = True
        self.mend()
        self._server.close()
        self._reset()

    def _reset(self) -> None:
        for end in self._pairs:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._pairs.clear()

    def _accept(self) -> None:
        while not self.stopped:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self.open.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self.to))
        except OSError:
            client.close()
            return
        self._pairs += [client, server]
        for source, target in ((client, server), (server, client)):
            threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(64 * 1024):
                self.open.wait()
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def proxy(to: int) -> Iterator[Proxy]:
    """A proxy to a port of 127.0.0.1, for the block."""
    made = Proxy(to)
    try:
        yield made
    finally:
        made.stop()
