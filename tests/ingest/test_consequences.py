"""What an import leaves wanting, by command line, API and page."""

import io
import json
from typing import Any

import pytest

from restmon.core.instants import HOUR, as_text
from restmon.ingest import imports, incoming_files, preview
from restmon.storage.models import now
from restmon.stores import groups
from tests.support.http import http, multipart
from tests.support.pages import page, seen
from tests.support.people import actor_of
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, ZONES_HEADER, Workspace

pytestmark = pytest.mark.both_databases


def polls_of(*stores: str) -> str:
    return "".join(f"{store},active,{as_text(now() - HOUR)}\n" for store in stores)


def hours_of(*stores: str) -> str:
    return "".join(f"{store},{day},09:00,17:00\n" for store in stores for day in range(2))


def zones_of(*stores: str, zone: str = "America/Chicago") -> str:
    return "".join(f"{store},{zone}\n" for store in stores)


def notes(row: Any) -> dict[str, str]:
    assert row.status == "Complete", row.error
    return {note["code"]: note["message"] for note in imports.notes_of(row)}


def test_a_whole_import_leaves_nothing_wanting(workspace: Workspace):
    row = workspace.import_now(polls_of("a", "b"), hours_of("a", "b"), zones_of("a", "b"))
    assert imports.notes_of(row) == []
    assert imports.describe(row)["notes"] == []
    assert "notes" not in imports.describe(row)["counts"]


@pytest.mark.parametrize("bad", [1, 2, 12])
def test_hours_that_cannot_be_used_are_told_by_line(workspace: Workspace, bad: int):
    ids = [f"s{n:02d}" for n in range(bad)]
    hours = "fine,0,09:00,17:00\n" + "".join(f"{store},0,nine,17:00\n" for store in ids)
    row = workspace.import_now(polls_of("fine", *ids), hours, zones_of("fine", *ids))
    lines = ", ".join(str(n + 3) for n in range(min(bad, 10)))
    more = f" and {bad - 10} more" if bad > 10 else ""
    stores = "1 store has" if bad == 1 else f"{bad} stores have"
    left = "it is" if bad == 1 else "they are"
    assert notes(row) == {
        "unreadable_hours": f"{stores} no usable hours: {left} left out until you fix line "
        f"{lines}{more} of business_hours.csv."
    }
    mended = workspace.import_now(None, hours_of(*ids))
    assert notes(mended) == {}


@pytest.mark.parametrize(
    ("polls", "hours", "zones", "told"),
    [
        (1, 0, 1, {"no_hours"}),
        (1, 1, 0, {"no_zone"}),
        (1, 0, 0, {"no_hours", "no_zone"}),
        (0, 1, 1, {"no_polls"}),
        (0, 0, 1, {"zone_without_polls"}),
        (0, 1, 0, {"no_polls", "no_zone"}),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_what_stores_lack(
    workspace: Workspace, polls: int, hours: int, zones: int, told: set[str], at_once: bool
):
    texts = [
        polls_of("a", "b") if polls else None,
        hours_of("a", "b") if hours else None,
        zones_of("a", "b") if zones else None,
    ]
    if at_once:
        row = workspace.import_now(*texts)
    else:
        for n, text in enumerate(texts):
            if text is not None:
                row = workspace.import_now(*[text if m == n else None for m in range(3)])
    assert set(notes(row)) == told
    assert all(note["count"] == 2 for note in imports.notes_of(row))
    assert [e["store_id"] for e in imports.notes_of(row)[0]["examples"]] == ["a", "b"]


PAIRS = [
    ("rounded_ids", "4821930475610280000", "4821930475610283391"),
    ("ids_with_decimals", "77.0", "77"),
    ("ids_without_zeros", "815", "000815"),
    ("ids_in_other_case", "downtown", "Downtown"),
]


@pytest.mark.parametrize(("code", "written", "right"), PAIRS)
@pytest.mark.parametrize("order", ["together", "polls first", "hours first"])
def test_changed_ids_are_told_at_once(
    workspace: Workspace, code: str, written: str, right: str, order: str
):
    polls, hours = polls_of(right), hours_of(written)
    if order == "together":
        row = workspace.import_now(polls, hours)
    elif order == "polls first":
        workspace.import_now(polls)
        row = workspace.import_now(None, hours)
    else:
        workspace.import_now(None, hours)
        row = workspace.import_now(polls)
    (note,) = [note for note in imports.notes_of(row) if note["code"] == code]
    assert [(e["store_id"], e["likely"]) for e in note["examples"]] == [(written, right)]


def test_fixed_zones_are_told_once(workspace: Workspace):
    zones = zones_of("a") + zones_of("b", zone="EST")
    (before,) = preview.previews(io.BytesIO((ZONES_HEADER + zones).encode()), "zones.csv")
    assert before.notices == [
        "zones.csv, 1 line: EST is UTC−5 all year, without daylight saving time; where clocks "
        "change, use America/New_York."
    ]
    row = workspace.import_now(polls_of("a", "b"), hours_of("a", "b"), zones)
    (note,) = imports.notes_of(row)
    assert (note["code"], note["count"]) == ("fixed_offset_zone", 1)
    assert "without daylight saving time: EST is UTC−5 all year" in note["message"]
    assert "UTC−5 all year" in note["examples"][0]["detail"]
    assert row.notices == []


def test_an_owner_is_told_of_no_other_store(people: Workspace):
    people.import_now(polls_of("7"))
    groups.add("Mine", ["a"])
    path = people.write("h.csv", HOURS_HEADER + hours_of("a", "7.0"))
    file = incoming_files.source_file("business_hours", path)
    row = imports.request([file], "dashboard", actor_of("owner"), resumable=False)
    imports.work(row.id)
    told = json.dumps(imports.notes_of(imports.get(row.id)))
    assert '"7"' not in told
    assert "7.0" not in told


def test_by_command_line(workspace: Workspace):
    polls = workspace.write("p.csv", POLLS_HEADER + polls_of("0042"))
    hours = workspace.write("h.csv", HOURS_HEADER + hours_of("42"))
    options = ("--polls", str(polls), "--business-hours", str(hours))
    done = workspace.command("import", *options)
    assert done.returncode == 0
    assert "note: 1 store has hours but no polls." in done.stderr
    done = workspace.command("import", *options, "--json")
    told = json.loads(done.stdout.splitlines()[-1])
    assert {note["code"] for note in told["notes"]} >= {"no_polls", "ids_without_zeros"}
    assert told["unchanged"] == told["read"] == 3


def test_by_api(service: Workspace):
    body, headers = multipart([("polls", "p.csv", (POLLS_HEADER + polls_of("x")).encode())])
    answer = http(f"{service.api}/import_data?wait=true", "POST", body, headers)
    assert [(note["code"], note["count"]) for note in answer.json["notes"]] == [
        ("no_hours", 1),
        ("no_zone", 1),
    ]
    again = http(f"{service.api}/import_data?import_id={answer.json['import_id']}")
    assert again.json["notes"] == answer.json["notes"]


def test_by_page(workspace: Workspace):
    row = workspace.import_now(polls_of("x"), hours_of("x"))
    shown = seen(page("upload", **{"import": row.id}))
    assert "1 store has no time zone and counts as America/Chicago." in shown
    assert "See the data check" in shown
