"""The environment of tests: the checkout, free ports, required programs, waiting for a state."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


REQUIRED = {name for name in os.environ.get("RESTMON_REQUIRE", "").split(",") if name}


def missing(what: str, why: str) -> None:
    """Skip a test because something is missing. Fail it if RESTMON_REQUIRE names that."""
    if what in REQUIRED:
        pytest.fail(f"RESTMON_REQUIRE names {what}, but {why}")
    pytest.skip(f"{what}: {why}")


def free_port() -> int:
    """A port on 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(
    what: str,
    condition: Callable[[], Any],
    seconds: float = 180,
    describe: Callable[[], str] = str,
) -> Any:
    """Wait for a true value of the condition and return it; fails after the seconds, with the
    text that ``describe`` gives then."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain: {what}\n{describe()}")
