"""A process that hangs ends itself, and whatever started it starts it again.

Each process gives a check that finds out whether it still does its work, and a thread calls it
every few seconds. After two minutes of failed checks the process ends with status 1. systemd
(``Restart=always``), Docker (``restart: unless-stopped``) and ``python -m restmon run`` start it
again. Its work begins again, as after any death.

A process that is stopped as a whole, with its watching thread, cannot end itself. The process tells
systemd by sd_notify(3) that it is ready, and then that it is alive, so systemd notices. This module
imports only the standard library, so that ``python -m restmon.ops.watchdog URL``, the health check
of a container, costs next to nothing.
"""

import faulthandler
import logging
import os
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable

log = logging.getLogger("restmon.watchdog")
EVERY_SECONDS = 10.0
PATIENCE = 12
"""The process ends after this many failed checks in a row."""
ANSWER_SECONDS = 10
OWN_ADDRESS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - names of "any address", not a bind  # nosec B104

Check = Callable[[], str | None]
"""Returns what is wrong in a few words, or None."""


def start(check: Check) -> None:
    """Watch this process from now on."""
    threading.Thread(target=_watch, args=(check,), name="watchdog", daemon=True).start()


def _watch(check: Check) -> None:
    ready, failures = False, 0
    pause = threading.Event()
    while True:
        problem = check()
        if problem is None:
            notify("WATCHDOG=1" if ready else "READY=1")
            ready, failures = True, 0
        elif ready:
            failures += 1
            log.warning("check %d of %d failed: %s", failures, PATIENCE, problem)
            if failures >= PATIENCE:
                log.error("the process hangs and ends itself, to be started again: %s", problem)
                faulthandler.dump_traceback()
                os._exit(1)
        pause.wait(EVERY_SECONDS if ready else 0.2)


def notify(state: str) -> None:
    """Tell systemd, if it started this process and wants to know."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as end:
            end.connect("\0" + address[1:] if address.startswith("@") else address)
            end.sendall(state.encode())
    except OSError as error:
        log.warning("systemd could not be told %s: %s", state, error)


def answers(url: str) -> str | None:
    """None if a server gives any answer, whatever its status; else what is wrong."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS):  # noqa: S310 - http alone  # nosec B310
            return None
    except urllib.error.HTTPError:
        return None
    except (OSError, ValueError) as error:
        return f"{url} does not answer: {error}"


def own_url(host: str, port: int, path: str) -> str:
    """The URL at which this process reaches itself when it listens on the host."""
    name = OWN_ADDRESS.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}{path}"


if __name__ == "__main__":
    sys.exit(answers(sys.argv[1]))
