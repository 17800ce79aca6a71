"""Generated input: no traceback, no wrong count (`make fuzz` tries many more of it)."""

import gc
import os
import subprocess
import sys
import warnings

import pytest

from tests.support import fuzz
from tests.support.environment import ROOT
from tests.support.examples import examples
from tests.support.workspace import Workspace

INPUTS = 400
THROUGH_THE_DATABASE = {"imports", "forms"}
"""What takes ten times as long an input."""
# What pyarrow cannot tell its caller it writes to standard error, as a traceback.
pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(autouse=True)
def nothing_of_other_tests() -> None:
    """Connections that other tests left to the garbage collector must not warn in these."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.mark.parametrize("name", fuzz.targets())
def test_generated_input_does_no_harm(workspace: Workspace, name: str):
    target, inputs, _ = fuzz.targets()[name]
    fuzz.run(target, inputs, examples(INPUTS // 10 if name in THROUGH_THE_DATABASE else INPUTS))


@pytest.mark.slow
def test_the_command_tries_all_of_them():
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.fuzz"],
        cwd=ROOT,
        env={**os.environ, "RESTMON_FUZZ_INPUTS": "50"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:-1]] == list(fuzz.targets())
    assert lines[-1].endswith("no error that is not one sentence")


def test_a_reader_that_bursts_is_found():
    def bursts(content: bytes) -> None:
        read, rejections = fuzz.read_all("polls", content) or (0, [])
        assert read < 3 or not rejections

    with pytest.raises(AssertionError):
        fuzz.run(bursts, fuzz.hostile.files("polls"), INPUTS)
