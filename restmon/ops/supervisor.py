"""Several processes together until Ctrl-C: for ``make run``. In production systemd does it."""

import os
import signal
import subprocess  # nosec B404 - starts our own commands
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

MOST_DEATHS, WITHIN_SECONDS = 5, 60
"""If a process dies this often within the time, all processes are stopped."""
STOP_SECONDS = 25
"""Running work gets this long to finish. A worker needs up to 20."""
LOOK_SECONDS = 0.1


def supervise(
    commands: Mapping[str, Sequence[str]],
    env: Mapping[str, str],
    write: Callable[[str], object] = sys.stdout.write,
    ready: Callable[[], bool] | None = None,
    tell: Callable[[], object] = lambda: None,
) -> int:
    """Run the commands side by side, each line of their output behind the command's name.

    Starts a process that dies again. SIGINT and SIGTERM stop all: each process gets the signal, and
    is killed if it has not ended after 25 seconds. Call it in the main thread.
    Calls ``tell`` once, as soon as ``ready`` returns True.

    Returns the exit status: 0 after a signal, 1 if a process died five times within a minute.
    """
    width = max(len(name) for name in [*commands, "restmon"])
    told_to_stop = threading.Event()
    processes: dict[str, subprocess.Popen[str]] = {}
    readers: list[threading.Thread] = []
    deaths: dict[str, deque[float]] = {name: deque(maxlen=MOST_DEATHS) for name in commands}

    def say(name: str, line: str) -> None:
        write(f"{name:{width}} | {line.rstrip()}\n")

    def stop(_signal: int, _frame: FrameType | None) -> None:
        told_to_stop.set()

    def start(name: str) -> None:
        # In a session of its own: Ctrl-C of the terminal reaches this process alone, which then
        # ends the others in order.
        process = subprocess.Popen(  # noqa: S603 - our own commands  # nosec B603
            list(commands[name]),
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        processes[name] = process
        say("restmon", f"{name} started (pid={process.pid})")
        reader = threading.Thread(target=copy_lines, args=(name, process), daemon=True)
        reader.start()
        readers.append(reader)

    def copy_lines(name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        for line in process.stdout:
            say(name, line)

    def start_again(name: str) -> bool:
        """Start a process that died. Returns False if it died too often."""
        times = deaths[name]
        times.append(time.monotonic())
        if len(times) == MOST_DEATHS and times[-1] - times[0] < WITHIN_SECONDS:
            say("restmon", f"{name} died {MOST_DEATHS} times in a minute; stopping")
            return False
        say("restmon", f"{name} died (rc={processes[name].returncode}); starting it again")
        start(name)
        return True

    status = 0
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        for name in commands:
            start(name)
        while not told_to_stop.wait(LOOK_SECONDS):
            dead = [name for name, process in processes.items() if process.poll() is not None]
            if not all(start_again(name) for name in dead):
                status = 1
                break
            if ready and ready():
                tell()
                ready = None
    finally:
        _end(list(processes.values()))
        for name, process in processes.items():
            say("restmon", f"{name} stopped (rc={process.returncode})")
        for reader in readers:
            reader.join(1)
        for number, handler in before.items():
            signal.signal(number, handler)
    return status


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Tell the processes to end, wait for their running work, and kill what is left."""
    for process in processes:
        if process.poll() is None:
            process.terminate()
    last = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, last - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
