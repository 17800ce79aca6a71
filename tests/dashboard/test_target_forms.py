"""Targets on the Settings page."""

from typing import Any

import pytest

from restmon.stores import targets
from tests.support.pages import page, seen, table, well
from tests.support.workspace import Workspace


def test_an_operator_sets_and_removes_targets(people: Workspace, as_: Any):
    as_("operator")
    at = page("settings", part="Targets")
    assert "No targets yet." in seen(at)
    at.text_input("target_value_all stores").input("99.50 %")
    at = well(at.button("save_target").click().run())
    assert "The target of all stores is 99.5 % now." in seen(at)
    well(at.radio("target_kind").set_value("A group").run())
    well(at.selectbox("target_group").set_value("Theirs").run())
    at.text_input("target_value_group Theirs").input("101")
    at = well(at.button("save_target").click().run())
    assert "The target '101' cannot be used: it is not from 1 to 100 per cent" in seen(at)
    at.text_input("target_value_group Theirs").input("98")
    at = well(at.button("save_target").click().run())
    assert table(at, "All targets")["target"].tolist() == [99.5, 98.0]
    at = well(at.button("remove_target").click().run())
    assert [one.percent for one in targets.list_targets()] == [99.5]


@pytest.mark.parametrize("who", ["owner"])
def test_an_owner_sets_those_of_their_own(people: Workspace, as_: Any, who: str):
    targets.set_target(targets.Subject(group="Theirs"), 900_000)
    as_(who)
    at = page("settings")
    assert "Theirs" not in seen(at)
    assert at.radio("target_kind").options == ["A group", "A store"]
    assert at.selectbox("target_group").options == ["Mine"]
    well(at.radio("target_kind").set_value("A store").run())
    assert at.selectbox("target_store").options == ["a"]
    well(at.selectbox("target_store").set_value("a").run())
    at.text_input("target_value_store a").input("97.25")
    at = well(at.button("save_target").click().run())
    assert "The target of store a is 97.25 % now." in seen(at)


def test_a_file_of_targets_is_imported(people: Workspace, as_: Any):
    as_("owner")
    at = page("settings", part="Targets")
    at.file_uploader("targets_csv_0").upload(
        "targets.csv",
        b"store_id;group;target\na;;99.5\n;Mine;98 %\n;Theirs;97\na;;101\n",
        "text/csv",
    )
    well(at.run())
    at = well(at.button("import_targets").click().run())
    assert "4 lines read: 2 new, 0 updated, 0 unchanged, 2 rejected." in seen(at)
    rejected = table(at, "Rejected lines of the targets file")
    assert rejected["line"].tolist() == [4, 5]
    assert rejected["value"].tolist() == ["Theirs", "101"]
    found = {(one.store, one.group): one.percent for one in targets.list_targets()}
    assert found == {("a", None): 99.5, (None, "Mine"): 98.0}
    at.file_uploader("targets_csv_1").upload("targets.csv", b"store_id,percent\na,99\n", "text/csv")
    well(at.run())
    at = well(at.button("import_targets").click().run())
    assert "no column target" in seen(at)
    assert len(targets.list_targets()) == 2
