"""Generated input: no traceback, no wrong count (`make fuzz` tries many more of it)."""

import gc
import warnings

import pytest

from tests.support import fuzz
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
    fuzz.run(target, inputs, INPUTS // 10 if name in THROUGH_THE_DATABASE else INPUTS)


def test_a_reader_that_bursts_is_found():
    def bursts(content: bytes) -> None:
        read, rejections = fuzz.read_all("polls", content) or (0, [])
        assert read < 3 or not rejections

    with pytest.raises(AssertionError):
        fuzz.run(bursts, fuzz.hostile.files("polls"), INPUTS)
