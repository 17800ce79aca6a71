"""The rules of time zones are those of the pinned library, whatever the system has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tzdata

OWN = Path(tzdata.__file__).parent / "zoneinfo"
ASK = (
    "import json, zoneinfo, datetime as d; zone = zoneinfo.ZoneInfo('America/Edmonton');"
    "print(json.dumps([zoneinfo.TZPATH,"
    " d.datetime(2026, 11, 2, 18, tzinfo=d.UTC).astimezone(zone).isoformat()]))"
)


def ask(before: str, **environment: str) -> tuple[list[str], str]:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONTZPATH"}
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", f"{before}; {ASK}"],
        env=env | {"PYTHONPATH": root} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    path, written = json.loads(done.stdout)
    return path, written


@pytest.mark.parametrize(
    "before",
    [
        "import restmon",
        "import zoneinfo; zoneinfo.ZoneInfo('America/Edmonton'); import restmon",
        "import pandas; import restmon",
        "import restmon.reporting.computation",
    ],
)
def test_rules_come_from_the_library(before):
    """Alberta keeps daylight saving time since 2026; systems of 2025 do not know it."""
    path, written = ask(before)
    assert path == [str(OWN)]
    assert written == "2026-11-02T12:00:00-06:00"


def test_processes_started_from_here_have_them_too():
    import restmon  # noqa: F401

    assert os.environ["PYTHONTZPATH"] == str(OWN)


def test_a_path_that_is_set_stays(tmp_path):
    zones = tmp_path / "America"
    zones.mkdir()
    (zones / "Edmonton").write_bytes((OWN / "America" / "Phoenix").read_bytes())
    path, written = ask("import restmon", PYTHONTZPATH=str(tmp_path))
    assert path == [str(tmp_path)]
    assert written == "2026-11-02T11:00:00-07:00"
