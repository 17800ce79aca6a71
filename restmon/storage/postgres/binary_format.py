r"""PostgreSQL's binary form of arrays, read by NumPy.

All numbers are big-endian. An array of ``bigint``, here ``{5,7}``::

    header, 20 bytes                                     an item, 12 bytes each
    +----------+----------+----------+---------+-------+ +-------+------------------+ +-------+-...
    |dimensions| has NULL | type oid | length  | first | | bytes | value            | | bytes |
    | 00000001 | 00000000 | 00000014 | 00000002| 0001  | | 00..08| 0000000000000005 | | 00..08|
    +----------+----------+----------+---------+-------+ +-------+------------------+ +-------+-...

``first`` (4 bytes) is the index of the first item. A NULL item would have -1 for its bytes and no
value: no array here has one, so each item has the same size, and the items are a NumPy array of
the type `ITEM`.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Loader
from psycopg.pq import Format

from restmon.storage import models

Ints = NDArray[np.int64]

INT8_ARRAY = 1016
"""The oid of the type ``bigint[]``."""
ITEM = np.dtype([("bytes", ">i4"), ("value", ">i8")])
ARRAY_HEADER_BYTES = 20


class ArrayLoader(Loader):
    """Receives a ``bigint[]`` without NULLs as the bytes of its items, for `read_items`."""

    format = Format.BINARY

    def load(self, data: Any) -> bytes:
        return bytes(data[ARRAY_HEADER_BYTES:])


def read_items(items: bytes) -> Ints:
    """The values in the bytes of an array's items, or of several arrays' one after the other."""
    return np.frombuffer(items, ITEM)["value"].astype(np.int64)


def open_cursor() -> Any:
    """A cursor that returns arrays as the bytes of their items."""
    cursor = models.database.connection().cursor(binary=True)
    cursor.adapters.register_loader(INT8_ARRAY, ArrayLoader)
    return cursor
