"""A file is read in a thread of its own, which ends with whoever works on what was read."""

import threading
from collections.abc import Generator

import pytest

from restmon.ingest.reading_ahead import AHEAD, read_ahead

NAME = "read-ahead"


def threads() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


def test_the_pieces_come_in_order_from_another_thread():
    makers = set()

    def pieces() -> Generator[int, None, None]:
        for n in range(100):
            makers.add(threading.current_thread().name)
            yield n

    assert list(read_ahead(pieces())) == list(range(100))
    assert makers == {NAME}
    assert not threads()
    assert list(read_ahead(n for n in range(0))) == []


def test_an_error_is_raised_after_the_pieces_before_it():
    def pieces() -> Generator[int, None, None]:
        yield 1
        yield 2
        raise ValueError("the file is odd")

    found = []
    with pytest.raises(ValueError, match="the file is odd"):
        for piece in read_ahead(pieces()):
            found.append(piece)
    assert found == [1, 2]
    assert not threads()


def test_who_stops_early_closes_the_file():
    closed, made = threading.Event(), []

    def pieces() -> Generator[int, None, None]:
        try:
            for n in range(1000):
                made.append(n)
                yield n
        finally:
            closed.set()

    ahead = read_ahead(pieces())
    assert next(ahead) == 0
    ahead.close()  # type: ignore[attr-defined]
    assert closed.is_set()
    assert not threads()
    assert len(made) <= 1 + AHEAD + 1


def test_few_pieces_are_there_at_once():
    alive, most = set(), 0
    lock = threading.Lock()

    def pieces() -> Generator[int, None, None]:
        nonlocal most
        for n in range(50):
            with lock:
                alive.add(n)
                most = max(most, len(alive))
            yield n

    for n in read_ahead(pieces()):
        with lock:
            alive.discard(n - 1)
    assert most <= AHEAD + 2
