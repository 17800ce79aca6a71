"""Generated input: no traceback, no wrong count (`make fuzz` tries many more of it)."""

import pytest

from tests import fuzz
from tests.conftest import Workspace

INPUTS = 400
# What pyarrow cannot tell its caller it writes to standard error, as a traceback.
pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.parametrize("name", fuzz.targets())
def test_generated_input_does_no_harm(workspace: Workspace, name: str):
    target, inputs, _ = fuzz.targets()[name]
    fuzz.run(target, inputs, INPUTS)


def test_a_reader_that_bursts_is_found():
    def bursts(content: bytes) -> None:
        read, rejections = fuzz.read_all("polls", content) or (0, [])
        assert read < 3 or not rejections

    with pytest.raises(AssertionError):
        fuzz.run(bursts, fuzz.hostile.files("polls"), INPUTS)
