"""Business hours in a row of bytes a store: what is written is what is read, by arrays and by the
view."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restmon.core.instants import DAY
from restmon.storage import database, models
from restmon.storage.packed_hours import pack_hours, unpack_hours
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.both_databases]

line = st.tuples(
    st.integers(1, 2**31 - 1), st.integers(0, 6), st.integers(-1, DAY), st.integers(-1, DAY)
)


def table(lines: list[tuple[int, ...]]) -> np.ndarray:
    return np.array(lines, np.int64).reshape(-1, 4)


@given(st.lists(line, max_size=20))
def test_lines_come_back_by_store_in_their_order(lines: list[tuple[int, ...]]):
    packed = pack_hours(table(lines))
    stores = [store for store, _ in packed]
    assert stores == sorted({line[0] for line in lines})
    expected = sorted(lines, key=lambda line: line[0])
    assert [tuple(line) for line in unpack_hours(packed).tolist()] == expected


def test_hours_are_replaced_store_by_store(workspace: Workspace):
    names = [f"s{n}" for n in range(6)]
    with database.writing():
        database.add_stores(names, False)
        rows = [row for (row,) in models.Store.select(models.Store.id).order_by(1).tuples()]
    first = [(rows[n], day, -1, -1) for n in range(5) for day in range(n)]
    again = [(rows[1], 6, 1, DAY), (rows[5], 0, 2**40, 2**40 + 1), (rows[1], 2, 0, 5)]
    with database.writing():
        database.replace_hours(np.array(rows, np.int64), table(first))
        database.replace_hours(np.array([rows[1], rows[2], rows[5]], np.int64), table(again))
    expected = sorted([*again, *(each for each in first if each[0] in {rows[3], rows[4]})])
    with database.session():
        assert [tuple(x) for x in sorted(database.business_hours().tolist())] == expected
        assert sorted(models.BusinessHours.select().tuples()) == expected
        own = models.BusinessHours.select().where(models.BusinessHours.store == rows[1])
        assert sorted(own.tuples()) == sorted(again[::2])
        some = database.business_hours("s3", "s5")
        assert set(some[:, 0].tolist()) == {rows[3], rows[4]}
        assert len(database.business_hours("s5")) == 1
        assert not len(database.business_hours("t"))
