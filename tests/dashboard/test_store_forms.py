"""The forms for a store's entry in the directory and for other hours; the downloads."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from restmon.core.formatting import WEEKDAYS
from restmon.ingest.hours_editing import read_hours
from restmon.ingest.store_editing import Subject, read_dates, read_entry, read_sales
from restmon.settings import get_settings
from restmon.stores import groups
from tests.support.pages import POLLS, ZONES, page, seen, table, well
from tests.support.workspace import Workspace


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Stores with polls; ``a`` has hours."""
    workspace.import_now(POLLS, "a,0,09:00,17:00\n", ZONES)
    return workspace


def with_dates(at: AppTest, whose: str, rows: list[dict[str, Any]]) -> AppTest:
    """The settings page with rows added in the table of other hours."""
    (editor,) = [t for t in at.data_editor if f"Other hours of the {whose}" in t.proto.alt]
    at.session_state[editor.key] = {"edited_rows": {}, "added_rows": rows, "deleted_rows": []}
    return at


def with_edits(at: AppTest, name: str, **changes: Any) -> AppTest:
    """The settings page with changes made in a table."""
    (editor,) = [t for t in at.data_editor if name in t.proto.alt]
    nothing: dict[str, Any] = {"edited_rows": {}, "added_rows": [], "deleted_rows": []}
    at.session_state[editor.key] = nothing | changes
    return at


def press(at: AppTest, key: str) -> AppTest:
    return well(at.button(key).click().run())


def switch(at: AppTest, key: str) -> AppTest:
    """The page after a switch is turned."""
    (found,) = [toggle for toggle in at.toggle if toggle.key.startswith(key)]
    return well(found.set_value(True).run())


def test_sales_are_edited_and_taken_away(stores: Workspace):
    at = with_edits(
        page("settings", store="a"),
        "Hourly sales",
        edited_rows={12: {"Monday": 240, "Sunday": 300.5}, 13: {"Monday": 0}},
    )
    at = press(at, "save_sales")
    assert "Saved." in at.success.values
    sales = read_sales("a")
    assert sales.loc[12, "Monday"] == 240
    assert sales.loc[12, "Sunday"] == 300.5
    assert sales.loc[13, "Monday"] == 0
    assert int(sales.notna().sum().sum()) == 3
    assert "Nothing was changed, as all is as before." in press(at, "save_sales").success.values
    at = with_edits(
        page("settings", store="a"),
        "Hourly sales",
        edited_rows={12: {"Monday": None, "Sunday": None}, 13: {"Monday": None}},
    )
    assert "Saved." in press(at, "save_sales").success.values
    assert not read_sales("a").notna().any(axis=None)


def test_sales_may_be_the_same_every_day(stores: Workspace):
    at = switch(page("settings", store="a"), "same_sales_a")
    at = with_edits(at, "Hourly sales", edited_rows={18: {"Every day": 500}})
    assert "Saved." in press(at, "save_sales").success.values
    assert read_sales("a").loc[18].tolist() == [500.0] * 7


def test_sales_that_cannot_be_kept_name_the_hour_and_the_day(stores: Workspace):
    at = with_edits(page("settings", store="a"), "Hourly sales", edited_rows={9: {WEEKDAYS[2]: -5}})
    at = press(at, "save_sales")
    assert "This cannot be saved; nothing was changed." in at.error.values
    problems = table(at, "What cannot be kept")
    assert problems[["line", "column", "value"]].values.tolist() == [[10, "Wednesday", "-5"]]


def test_hours_may_be_the_same_every_day(stores: Workspace):
    at = switch(page("settings", store="a"), "same_hours_a")
    (editor,) = [t for t in at.data_editor if "Business hours of store" in t.proto.alt]
    assert editor.value.values.tolist() == [["9:00 AM", "5:00 PM"]]
    late = {"start_time_local": "8 PM", "end_time_local": "midnite"}
    at = press(with_edits(at, "Business hours of store", added_rows=[late]), "save")
    assert table(at, "rows that cannot be kept")[["line", "column"]].values.tolist() == [
        [2, "Closes"]
    ]
    at = with_edits(
        at, "Business hours of store", added_rows=[late | {"end_time_local": "midnight"}]
    )
    assert "Saved." in press(at, "save").success.values
    assert read_hours("a").hours.values.tolist() == [
        row for day in "0123456" for row in ([day, "09:00", "17:00"], [day, "20:00", "24:00"])
    ]


def test_an_american_reads_and_writes_am_and_pm(stores: Workspace):
    at = page("settings", store="a")
    (editor,) = [t for t in at.data_editor if "Business hours of store" in t.proto.alt]
    assert editor.value.values.tolist() == [["0", "9:00 AM", "5:00 PM"]]
    (sales,) = [t for t in at.data_editor if "Hourly sales" in t.proto.alt]
    assert sales.value["hour"].tolist()[:14:13] == ["12 AM", "1 PM"]
    assert "Nothing was changed, as all is as before." in press(at, "save").success.values
    row = {"dayOfWeek": "1", "start_time_local": "6:30 PM", "end_time_local": "midnight"}
    at = with_edits(page("settings", store="a"), "Business hours of store", added_rows=[row])
    press(at, "save")
    assert ["1", "18:30", "24:00"] in read_hours("a").hours.values.tolist()
    assert "6:30 PM–midnight" in seen(page("store", store="a"))


def test_an_entry_is_edited(stores: Workspace):
    at = page("settings", store="a")
    at.text_input("name_of_a").input("Main Street")
    at.text_input("sales_per_hour_of_a").input("much")
    at = well(at.button("save_entry").click().run())
    assert "This cannot be saved; nothing was changed." in at.error.values
    at.text_input("sales_per_hour_of_a").input("240")
    at = well(at.button("save_entry").click().run())
    assert "Saved." in at.success.values
    entry = read_entry("a")
    assert (entry["name"], entry["sales_per_hour"]) == ("Main Street", "240")


def test_other_hours_of_a_store_are_edited(stores: Workspace):
    row = {"date": "2026-11-26", "start_time_local": "10 AM", "end_time_local": "25:00"}
    at = with_dates(page("settings", store="a"), "store a", [row])
    at = well(at.button("save_dates_store").click().run())
    assert table(at, "What cannot be kept")["column"].tolist() == ["Closes"]
    assert not len(read_dates(Subject(store="a")))
    at = with_dates(page("settings", store="a"), "store a", [row | {"end_time_local": "2 PM"}])
    at = well(at.button("save_dates_store").click().run())
    assert "Saved." in at.success.values
    assert read_dates(Subject(store="a")).values.tolist() == [["2026-11-26", "10:00", "14:00", ""]]
    (editor,) = [
        t for t in page("settings", store="a").data_editor if "Other hours of" in t.proto.alt
    ]
    assert len(editor.value) == 1


def test_other_hours_of_a_group_are_edited(stores: Workspace):
    groups.create("Brand")
    at = page("settings", store="a")
    at = well(at.selectbox("dates_group").select("Brand").run())
    row = {"date": "2026-11-26", "note": "Thanksgiving"}
    at = with_dates(at, "group Brand", [row])
    at = well(at.button("save_dates_group").click().run())
    assert "Saved." in at.success.values
    assert read_dates(Subject(group="Brand")).values.tolist() == [
        ["2026-11-26", "", "", "Thanksgiving"]
    ]


@pytest.mark.parametrize("kind", ["business_hours", "directory"])
def test_a_feed_is_downloaded(stores: Workspace, kind: str):
    at = page("settings", store="a")
    at = well(at.selectbox("export_kind").select(kind).run())
    assert f"Download {kind}.csv" in seen(at)


def test_the_24_hour_clock_is_a_setting(stores: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RESTMON_CLOCK", "24")
    get_settings.cache_clear()
    at = page("settings", store="a")
    (editor,) = [t for t in at.data_editor if "Business hours of store" in t.proto.alt]
    assert editor.value.values.tolist() == [["0", "09:00", "17:00"]]
    assert "Wed, Jan 25, 2023, 10:00 CST" in seen(page("store", store="a"))
