"""Deleting by hand on the Settings page: what would go is told first."""

import pytest
from streamlit.testing.v1 import AppTest

from restmon.access import audit
from restmon.storage import database
from restmon.storage.access_models import AuditEntry
from restmon.storage.models import Poll, Store
from tests.support.pages import page, seen, well
from tests.support.workspace import Workspace

pytestmark = pytest.mark.both_databases

LINES = [
    f"{store},active,2023-01-{day} 10:00:00\n" for store in ("a", "b_2") for day in (20, 23, 26)
]


@pytest.fixture
def stored(workspace: Workspace) -> Workspace:
    workspace.import_now("".join(LINES), "a,0,09:00,12:00\n")
    return workspace


def count(begin: str = "", end: str = "", store: str = "") -> AppTest:
    """The page after the polls of a range were counted."""
    at = page("settings", part="Delete data")
    for key, text in (("delete_from", begin), ("delete_to", end), ("delete_store_id", store)):
        at.text_input(key).set_value(text)
    return well(at.button("count_polls").click().run())


def polls_left() -> int:
    with database.session():
        return Poll.select().count()


def sure(at: AppTest) -> AppTest:
    (button,) = [b for b in at.button if b.label == "Delete for good"]
    return well(button.click().run())


def test_polls_of_a_range_are_counted_and_then_deleted(stored: Workspace):
    at = count("2023-01-21 00:00", "2023-01-24 00:00", "a")
    told = "1 poll from 2023-01-21 00:00:00.000000 UTC before 2023-01-24 00:00:00.000000 UTC"
    assert f"This deletes {told} of store a." in seen(at).replace("\\", "")
    assert polls_left() == 6
    at = sure(at)
    assert f"Deleted {told} of store a." in seen(at).replace("\\", "")
    assert polls_left() == 5
    with database.session():
        assert audit.POLLS_FORGOTTEN in [entry.action for entry in AuditEntry.select()]


@pytest.mark.parametrize(
    ("begin", "end", "store", "told"),
    [
        ("soon", "", "", "from='soon' is not an instant."),
        ("", "1/2/3", "", "to='1/2/3' is not an instant."),
        ("2023-02-01 00:00", "2023-01-01 00:00", "", "The range of time is empty."),
        ("", "", "nobody*", "There is no store 'nobody*'."),
        ("2024-01-01 00:00", "", "", "There are no polls in that range."),
    ],
)
def test_what_cannot_be_deleted_is_told(
    stored: Workspace, begin: str, end: str, store: str, told: str
):
    at = count(begin, end, store)
    assert told in seen(at).replace("\\", "")
    assert not [b for b in at.button if b.label == "Delete for good"]
    assert polls_left() == 6


def test_a_store_is_deleted_with_all_that_is_its_own(stored: Workspace):
    at = page("settings", part="Delete data", store="b_2")
    assert "This deletes store b_2, its 3 polls, hours and all else" in seen(at).replace("\\", "")
    at = sure(at)
    assert "Store b_2 and its 3 polls are deleted." in seen(at).replace("\\", "")
    with database.session():
        assert [store.store_id for store in Store.select()] == ["a"]
    assert polls_left() == 3
