"""Arrow arrays made without pandas are those that pyarrow makes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.ingest import arrow_arrays


@given(st.lists(st.binary(max_size=6)))
def test_bytes(values: list[bytes]):
    assert arrow_arrays.of_bytes(values).equals(pa.array(values, pa.binary()))


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 3))
def test_bools(values: list[bool], begin: int):
    made = arrow_arrays.of_bools(np.array(values, bool))
    assert made.equals(pa.array(values, pa.bool_()))
    assert arrow_arrays.to_bools(made[begin:]).tolist() == values[begin:]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.integers(1, 3))
def test_ints(values: list[int], step: int):
    some = np.array(values, np.int64)[::step]
    made = arrow_arrays.of_ints(some)
    assert made.equals(pa.array(some.tolist(), pa.int64()))
    assert arrow_arrays.to_ints(made[1:]).tolist() == some[1:].tolist()


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.int64()])
def test_the_width_stays(kind: pa.DataType):
    found = arrow_arrays.to_ints(pa.array([1, 2], kind))
    assert (found.tolist(), found.dtype.itemsize * 8) == ([1, 2], kind.bit_width)


def test_scalars():
    assert pa.scalar(b"", pa.binary()).equals(arrow_arrays.EMPTY)
    assert pa.scalar(-1, pa.int32()).equals(arrow_arrays.MINUS_ONE)
