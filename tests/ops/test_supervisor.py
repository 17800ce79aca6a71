"""Several processes together: their output, their deaths, and how they end."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from restmon.ops import supervisor
from restmon.ops.supervisor import supervise
from tests.support.environment import ROOT, wait_until

COUNT_AND_DIE = """
import sys
from pathlib import Path
starts = Path(sys.argv[1])
starts.write_text(starts.read_text() + "x" if starts.exists() else "x")
print("start", len(starts.read_text()), flush=True)
"""
STAY = "import time; print('here', flush=True); time.sleep(600)"
FINISH_FIRST = """
import signal, sys, time
def finish(*_):
    print("finished", flush=True)
    sys.exit(0)
signal.signal(signal.SIGTERM, finish)
print("here", flush=True)
time.sleep(600)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("here", flush=True)
time.sleep(600)
"""


def command(script: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", script, *map(str, arguments)]


def test_a_process_that_dies_is_started_again_and_given_up_at_last(tmp_path: Path):
    said: list[str] = []
    starts = tmp_path / "starts"
    commands = {"dies": command(COUNT_AND_DIE, starts), "stays": command(STAY)}
    assert supervise(commands, os.environ, said.append) == 1
    assert starts.read_text() == "x" * supervisor.MOST_DEATHS
    lines = [line.split(" | ") for line in said]
    assert [text.strip() for name, text in lines if name.strip() == "dies"] == [
        f"start {n + 1}" for n in range(supervisor.MOST_DEATHS)
    ]
    told = [text.strip() for name, text in lines if name.strip() == "restmon"]
    again = "dies died (rc=0); starting it again"
    assert told.count(again) == supervisor.MOST_DEATHS - 1
    assert "dies died 5 times in a minute; stopping" in told
    assert told[-2:] == ["dies stopped (rc=0)", f"stays stopped (rc={-signal.SIGTERM})"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("script", [FINISH_FIRST, STUBBORN])
def test_a_signal_ends_all_of_them(tmp_path: Path, number: signal.Signals, script: str):
    seconds = 30 if script == FINISH_FIRST else 1
    text = (
        "import os, sys\n"
        "from restmon.ops import supervisor\n"
        f"supervisor.STOP_SECONDS = {seconds}\n"
        f"commands = {{'one': {command(script)!r}, 'two': {command(script)!r}}}\n"
        "sys.exit(supervisor.supervise(commands, os.environ, "
        "lambda line: print(line, end='', flush=True)))"
    )
    log = tmp_path / "log"
    with log.open("wb") as out:
        running: Any = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT, stdout=out)
    try:
        wait_until("both are there", lambda: log.read_text().count("here") == 2)
        running.send_signal(number)
        assert running.wait(60) == 0
    finally:
        running.kill()
    assert log.read_text().count("finished") == (2 if script == FINISH_FIRST else 0)
