"""Arrow arrays from and to Python and NumPy values, without pandas.

``pa.array``, ``pa.scalar`` and ``to_numpy`` import pandas at their first call. That takes longer
than a small import.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def of_bytes(values: Sequence[bytes]) -> pa.Array:
    """A binary array of the values, less than 2 GiB in all."""
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum([len(value) for value in values], dtype=np.int32, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(values))]
    return pa.Array.from_buffers(pa.binary(), len(values), buffers)


def of_bools(values: NDArray[np.bool_]) -> pa.Array:
    """A boolean array."""
    bits = np.packbits(values, bitorder="little")
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def of_ints(values: NDArray[np.int64]) -> pa.Array:
    """An int64 array."""
    whole = np.ascontiguousarray(values, np.int64)
    return pa.Array.from_buffers(pa.int64(), len(whole), [None, pa.py_buffer(whole)])


def to_bools(array: pa.Array) -> NDArray[np.bool_]:
    """The values of a boolean array without nulls."""
    return np.from_dlpack(array.cast(pa.uint8())).view(np.bool_)


def to_ints(array: pa.Array) -> NDArray[Any]:
    """The values of an array of whole numbers without nulls, in the array's own width."""
    return np.from_dlpack(array)


EMPTY = of_bytes([b""])[0]
"""The scalar of an empty value."""
MINUS_ONE = of_ints(np.array([-1]))[0].cast(pa.int32())
"""The scalar of -1, int32."""
