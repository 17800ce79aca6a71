"""Every mix of files in which some have no good line: imported, reported and shown."""

import json
from itertools import product
from pathlib import Path

import pytest

from restmon.core.instants import DAY
from restmon.errors import NoPolls
from restmon.ingest import imports, incoming_files, preview
from restmon.reporting import computation, fleet, store_timeline
from restmon.reporting.computation import parse_as_of
from restmon.reporting.snapshot import current_revision
from restmon.storage import database
from restmon.storage.models import COMPLETE, Store
from tests.support.http import http, multipart
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, ZONES_HEADER, Workspace

HEADERS = {"polls": POLLS_HEADER, "business_hours": HOURS_HEADER, "timezones": ZONES_HEADER}
GOOD = {
    "polls": "a,active,2023-01-23 16:14:00 UTC\nb,inactive,2023-01-23 17:15:00 UTC\n",
    "business_hours": "a,0,09:00,12:00\nb,0,09:00,12:00\n",
    "timezones": "a,America/Boise\nb,America/Denver\n",
}
BAD = {
    "polls": "a,asleep,2023-01-23 16:14:00 UTC\nb,active,never\n-,active,2023-01-23 16:14:00\n",
    "business_hours": "c,0,9 to 5,12:00\n-,0,09:00,12:00\nnonsense\n",
    "timezones": "a,Mars/Olympus\n-,America/Boise\nb\n",
}
CONTENTS = {
    "header only": lambda kind: "",
    "all bad": BAD.__getitem__,
    "some bad": lambda kind: BAD[kind] + GOOD[kind],
    "good": GOOD.__getitem__,
}
STATES = ["absent", *CONTENTS]
MIXES = [mix for mix in product(STATES, repeat=3) if set(mix) != {"absent"}]
ENDS = parse_as_of("2023-01-23T18:00:00Z")


def files(mix: tuple[str, ...]) -> dict[str, str]:
    """The texts of a mix, by kind."""
    return {
        kind: header + CONTENTS[state](kind)
        for (kind, header), state in zip(HEADERS.items(), mix, strict=True)
        if state != "absent"
    }


def stores(mix: tuple[str, ...]) -> list[str]:
    """The stores that a mix names."""
    good = any(state in {"some bad", "good"} for state in mix)
    return [*("ab" if good else ""), *("c" if mix[1] in {"all bad", "some bad"} else "")]


def show_everything(ids: list[str], has_polls: bool) -> None:
    """What the pages show of whatever there is."""
    if not has_polls:
        with pytest.raises(NoPolls):
            fleet.compute_fleet()
        with pytest.raises(NoPolls):
            computation.compute()
        return
    found = fleet.compute_fleet()
    assert found.ids == ids
    assert found.hours_unreadable.tolist() == [store == "c" for store in ids]
    assert found.chosen(found.observed).observed.all()
    assert not found.chosen(found.status == 9).ids
    table = computation.compute().csv().splitlines()
    assert [line.split(",")[0] for line in table[1:]] == ids


@pytest.mark.parametrize("mix", MIXES, ids="-".join)
def test_every_mix_of_files(workspace: Workspace, mix: tuple[str, ...]):
    given = files(mix)
    sources = []
    for kind, text in given.items():
        path = workspace.write(f"{kind}.csv", text)
        shown = preview.preview(path, path.name)
        assert shown.lines == text.count("\n") - 1
        sources.append(incoming_files.source_file(kind, path))
    row = imports.run_now(sources)
    assert row.status == COMPLETE
    assert set(row.counts["kinds"]) == set(given)
    for kind, state in zip(HEADERS, mix, strict=True):
        if state == "absent":
            continue
        counts = row.counts["kinds"][kind]
        bad = 3 if state in {"all bad", "some bad"} else 0
        good = 2 if state in {"some bad", "good"} else 0
        assert (counts["read"], counts["rejected"], counts["removed"]) == (bad + good, bad, 0)
        assert counts["new"] == good
    ids = stores(mix)
    for store_id in ids:
        view = store_timeline.read_store(store_id, ENDS - DAY, ENDS)
        assert view.hours_unreadable == (store_id == "c")
        assert not (view.hours_unreadable and view.open)
    has_polls = mix[0] in {"some bad", "good"}
    show_everything(ids, has_polls)
    # The same again, now over what is there: nothing changes.
    before = current_revision()
    again = imports.run_now(sources)
    assert again.counts["new"] == again.counts["updated"] == again.counts["removed"] == 0
    show_everything(ids, has_polls)
    assert current_revision() == before


SAMPLE = [
    ("all bad", "all bad", "all bad"),
    ("header only", "header only", "header only"),
    ("all bad", "good", "absent"),
    ("good", "all bad", "header only"),
    ("header only", "some bad", "all bad"),
]


@pytest.mark.parametrize("mix", SAMPLE, ids="-".join)
def test_a_mix_by_the_command_line(workspace: Workspace, mix: tuple[str, ...], tmp_path: Path):
    options: list[str] = []
    for kind, text in files(mix).items():
        path = workspace.write(f"{kind}.csv", text)
        options += [f"--{kind.replace('_', '-')}", str(path)]
    done = workspace.command("import", *options, "--json")
    assert done.returncode == (2 if set(mix) == {"all bad"} else 0), done.stderr
    assert "Traceback" not in done.stderr
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts["removed"] == 0
    assert (imports.NO_DATA_LINES in done.stderr) == (set(mix) == {"header only"})
    report = workspace.command("report", "--output", str(tmp_path / "r.csv"))
    assert report.returncode == (0 if mix[0] == "good" else 2), report.stderr
    assert "Traceback" not in report.stderr
    status = workspace.command("status", "--json")
    assert json.loads(status.stdout)["unreadable_hours"] == stores(mix).count("c")


@pytest.mark.parametrize("mix", SAMPLE, ids="-".join)
def test_a_mix_by_http(service: Workspace, mix: tuple[str, ...]):
    body, form = multipart(
        [(kind, f"{kind}.csv", text.encode()) for kind, text in files(mix).items()]
    )
    answer = http(f"{service.api}/import_data?wait=true", "POST", body, form)
    assert answer.status == 200, answer.text
    assert answer.json["status"] == COMPLETE
    asked = http(f"{service.api}/trigger_report", "POST")
    assert asked.status == (202 if mix[0] == "good" else 409), asked.text
    for running in service.started:
        assert "Traceback" not in running.output
    with database.session():
        assert [store for (store,) in known_stores()] == stores(mix)


def known_stores() -> list[tuple[str]]:
    return database.tuples(Store.select(Store.store_id).order_by(Store.store_id))
