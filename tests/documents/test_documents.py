"""Documents: the same numbers as the report in every form and by every door; hostile names."""

import io
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from jobs import tasks
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.formatting import US
from restmon.core.instants import DAY, HOUR, as_datetime, from_datetime
from restmon.core.zone_offsets import zone_offsets
from restmon.documents import documents, finding, paper, pdf
from restmon.documents.documents import Wanted
from restmon.documents.finding import Finding, Question
from restmon.documents.paper import describe
from restmon.documents.periods import read_period
from restmon.documents.texts import BREAK, label, percent
from restmon.errors import BadRequest, NotFound
from restmon.ingest.store_editing import save_entry
from restmon.ops import housekeeping
from restmon.reporting import reports
from restmon.reporting.computation import parse_as_of
from restmon.reporting.details import compute_details
from restmon.reporting.details_table import COLUMNS, make_table
from restmon.reporting.scopes import find_scope
from restmon.storage import database, files, models
from restmon.storage.files import Kind
from restmon.stores import groups, targets
from tests.support import kept
from tests.support.environment import wait_until
from tests.support.pages import page, seen, well
from tests.support.people import actor_of
from tests.support.workspace import Workspace
from tests.support.wsgi import ask, get, refused

NEWEST = parse_as_of("2023-01-25 18:00:00 UTC")
HOSTILE = [
    "#panic()",
    "#{while true {}}",
    "$x^2$ @label <tag> \\ \\u{1F600} #emoji.face",
    '"); #image("/etc/passwd"); ("',
    ']] #eval("1") [[ *bold* _it_ `raw` // /* = h',
    "</text><script>alert(1)</script>&amp;<![CDATA[",
    '=HYPERLINK("http://evil")',
    "x" * 400,
    "İstanbul Kebap – Ünïcødé",
    "北京烤鸭店 🍕 👩‍🍳",
    "مطعم \u202e evil \u2066",
    "a\tb\nc\x07",
    "\ud800",
    "%PDF-1.7 endobj",
    "",
]


def polls_of(store: str, flags: str) -> str:
    """A poll every 6 hours, the last one at NEWEST: "u" active, "d" inactive."""
    return "".join(
        f"{store},{'active' if flag == 'u' else 'inactive'},"
        f"{reports.as_text(NEWEST - 6 * n * HOUR)}\n"
        for n, flag in enumerate(reversed(flags))
    )


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Seven stores in two groups, with two weeks of polls; some are down, one has no poll."""
    flags = "u" * 60
    workspace.import_now(
        "".join(
            polls_of(f"s{n}", flags[: 20 + 3 * n] + "d" * (n % 4) + flags[20 + 3 * n + n % 4 :])
            for n in range(6)
        ),
        "idle,0,09:00,17:00\n",
        "".join(f"s{n},America/New_York\n" for n in range(5)) + "s5,America/Los_Angeles\n",
    )
    groups.create("Mine")
    groups.add("Mine", ["s1", "s2", "s3"])
    targets.set_target(targets.Subject(group="Mine"), 985_000)
    save_entry("s1", {"name": "Main Street", "sales_per_hour": "100"})
    return workspace


def find(period: str = "7d", **scope: Any) -> Finding:
    return finding.find(Question(find_scope(**scope), period))


def text_of(content: bytes) -> str:
    """All text of a PDF, without the places where lines may break."""
    reader = PdfReader(io.BytesIO(content))
    return "\n".join(one.extract_text() for one in reader.pages).replace(BREAK, "")


def make(wanted: Wanted, actor: Actor = THIS_MACHINE) -> documents.Document:
    """A document that is complete."""
    row = documents.request(wanted, actor=actor)
    assert documents.work(row.id)
    return documents.get(row.id)


@pytest.mark.both_databases
def test_the_pdf_has_the_numbers_of_the_report(stores: Workspace):
    report = reports.request(part=reports.Part({"last": "7d"}, "Mine"))
    reports.work(report.id)
    table = make_table(compute_details(find_scope(group="Mine"), None, report.as_of))
    text = text_of(documents.read_file(make(Wanted(period="7d", group="Mine"))))
    up = down = missed = 0
    for row in table.rows:
        cell = dict(zip(COLUMNS, row, strict=True))
        line = f"{cell['uptime_percent']:.2f}%"
        assert line in text, text
        assert f"{cell['down']:,.2f}" in text
        assert f"{cell['coverage']:.2f}%" in text
        missed += cell["uptime_percent"] < 98.5
        up, down = up + cell["up"], down + cell["down"]
    assert f"{100 * up / (up + down):.2f}%" in text
    assert "Mine" in text
    assert "3 stores" in text
    assert "98.5%" in text
    assert missed == 1
    assert "missed by 1 of 3 stores" in text


def test_each_page_says_what_the_numbers_are(stores: Workspace):
    row = make(Wanted(period="2023-01-16 to 2023-01-22", each_store=True))
    reader = PdfReader(io.BytesIO(documents.read_file(row)))
    assert len(reader.pages) >= 6
    assert reader.metadata is not None
    for number, one in enumerate(reader.pages, 1):
        text = " ".join(one.extract_text().split())
        assert f"{number} of {len(reader.pages)}" in text
        assert "Mon, Jan 16, 2023 – Sun, Jan 22, 2023" in text
        assert "as of Wed, Jan 25, 2023, 1:00 PM EST" in text
        assert "(nearest)" in text
        assert "America/Chicago time for 1 store without a time zone" in text
        assert "open 24 hours for 6 stores without business hours" in text
    width, height = reader.pages[0].mediabox.width, reader.pages[0].mediabox.height
    assert (round(width), round(height)) == (612, 792)
    a4 = PdfReader(io.BytesIO(documents.read_file(make(Wanted(period="7d", paper="a4")))))
    assert round(a4.pages[0].mediabox.height) == 842


def test_the_workbook_has_five_sheets_and_the_same_numbers(stores: Workspace):
    found = find(group="Mine")
    content = documents.read_file(make(Wanted("xlsx", "7d", "Mine")))
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert book.sheet_names == ["Summary", "Stores", "Outages", "Incidents", "About"]
    head, *rows = book.get_sheet_by_name("Stores").to_python()
    assert head == list(COLUMNS)
    assert [row[head.index("down")] for row in rows] == [
        row[list(COLUMNS).index("down")] for row in found.table.rows
    ]
    assert len(book.get_sheet_by_name("Outages").to_python()) == 1 + len(found.outages.outages)
    summary = dict(row[:2] for row in book.get_sheet_by_name("Summary").to_python()[1:])
    now = found.totals
    assert f"{summary['Uptime (per cent)']:.2f}%" == percent(now.up, now.up + now.down)
    assert summary["Outages"] == now.outages
    csv = documents.read_file(make(Wanted("csv", "7d", "Mine"))).decode()
    assert csv == found.table.csv()


def test_nothing_down_nothing_seen_and_no_store(stores: Workspace):
    groups.create("Up")
    groups.add("Up", ["s0", "s4"])
    groups.create("Unseen")
    groups.add("Unseen", ["idle"])
    groups.create("Empty")
    for group, sentence in (
        ("Up", "All observed stores were online throughout business hours."),
        ("Unseen", "Nothing is known about this period"),
        ("Empty", "There is no store in this group."),
    ):
        assert sentence in text_of(documents.read_file(make(Wanted(period="7d", group=group))))
    early = text_of(documents.read_file(make(Wanted(period="2020-01", group="Mine"))))
    assert "Nothing was seen in this period." in early
    assert "carried over" in early


@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=60), min_size=8, max_size=8))
def test_no_name_is_run_or_breaks_the_paper(names: list[str]):
    row = {"name": label(names[0]), "id": label(names[1])}
    content = {
        "paper": "us-letter",
        "title": label(names[2]),
        "subtitle": names[3],
        "span": names[4],
        "about": names[5],
        "single": False,
        "headline": names[6],
        "caution": names[7],
        "empty": False,
        "tiles": [{"name": "n", "value": label(names[0], 20), "note": names[1], "kind": ""}] * 6,
        "chart": "",
        "pale": False,
        "worst": [
            {"share": 0.5, **dict.fromkeys(("uptime", "down", "outages", "longest", "lost"), "1")}
            | row
        ],
        "incidents": [],
        "incidents_left_out": 0,
        "outages": [
            {**row, "start": "a", "end": "b", "length": "c", "cause": label(names[3], 60)}
            | {"incident": ""}
        ],
        "outages_left_out": 0,
        "stores": [],
        "stores_left_out": 0,
        "each": [],
        "footer": dict.fromkeys(("window", "method", "assumed", "as_of"), names[2]),
    }
    made = pdf.render(content)
    assert made.startswith(b"%PDF-")
    assert len(PdfReader(io.BytesIO(made)).pages) >= 1


def test_a_hostile_name_is_text_in_every_form(stores: Workspace):
    for n, name in enumerate(["#panic()", "$x$ @y <z> \\", "=1+1 </svg><script>"]):
        save_entry(f"s{n + 1}", {"name": name})
    text = text_of(documents.read_file(make(Wanted(period="7d", each_store=True))))
    for name in ("#panic()", "$x$ @y <z> \\", "</svg><script>"):
        assert name in text
    content = documents.read_file(make(Wanted("xlsx", "7d")))
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    cells = [row[1] for row in book.get_sheet_by_name("Stores").to_python()]
    assert "=1+1 </svg><script>" in cells


def test_the_charts_are_numbers_and_dates_alone(stores: Workspace):
    save_entry("s1", {"name": "</svg><script>"})
    content = describe(finding.find(Question(find_scope(), "7d", each_store=True)), US)
    assert content["chart"].startswith("<svg")
    assert "script" not in content["chart"] + "".join(one["chart"] for one in content["each"])


def slow_period(words: str, today: date) -> tuple[date, date]:
    """The first and last date of a period, day by day."""
    days = [today - timedelta(days=n) for n in range(80)]
    if words == "yesterday":
        return days[1], days[1]
    if words in {"last week", "this week"}:
        mondays = [day for day in days if day.weekday() == 0]
        first = mondays[0 if words == "this week" else 1]
        return first, first + timedelta(days=6)
    months = [(day.year, day.month) for day in days]
    wanted = months[0] if words == "this month" else next(m for m in months if m != months[0])
    whole = [today + timedelta(days=n) for n in range(-80, 40)]
    mine = [day for day in whole if (day.year, day.month) == wanted]
    return mine[0], mine[-1]


@given(
    st.datetimes(
        as_datetime(0).replace(year=1975, tzinfo=None),
        as_datetime(0).replace(year=2060, tzinfo=None),
    ),
    st.sampled_from(["yesterday", "last week", "this week", "last month", "this month"]),
    st.sampled_from(["America/Chicago", "Asia/Kolkata", "Pacific/Auckland", "UTC"]),
)
def test_periods_are_what_people_say(moment: Any, words: str, zone: str):
    as_of = from_datetime(moment)
    today = as_datetime(as_of, zone).date()
    period = read_period(words.upper().replace(" ", "-"), as_of, zone)
    first, last = slow_period(words, today)
    assert (period.first, period.last) == (first, last)
    lo, hi = period.window.resolve(as_of, [zone])
    assert as_datetime(int(lo[0]), zone).date() == first
    assert int(hi[0]) == min(as_of, int(_midnight(last + timedelta(days=1), zone)))
    before, until = period.before.resolve(as_of, [zone])
    assert until[0] == lo[0]
    assert before[0] < lo[0]


def _midnight(day: date, zone: str) -> int:
    wall = (day - date(1970, 1, 1)).days * DAY
    found = zone_offsets(zone, wall - 3 * DAY, wall + 3 * DAY)
    return int(found.starts_to_utc(np.array([wall], np.int64))[0])


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (Wanted(period="next week"), "The window 'next week' is not known."),
        (Wanted(period="2023-13"), "The window '2023-13' is not known."),
        (Wanted(period="2023-01-09 to 2023-01-02"), "ends before it begins"),
        (Wanted(period="2020-01-01 to 2023-01-02"), "longer than 13 months"),
        (Wanted(period="0d"), "too long or empty"),
        (Wanted(period="9999w"), "too long or empty"),
        (Wanted(form="docx"), "The format 'docx' is not known."),
        (Wanted(paper="a5"), "The paper 'a5' is not known."),
        (Wanted(zone="Mars/Base"), "The time zone 'Mars/Base' cannot be used."),
        (Wanted(group="Mine", store_id="s1"), "cannot be combined"),
        (Wanted(method="guess"), "guess"),
    ],
)
def test_bad_wishes_are_one_sentence_and_leave_nothing(
    stores: Workspace, wanted: Wanted, sentence: str
):
    with pytest.raises(BadRequest, match=sentence):
        documents.request(wanted)
    assert documents.list_recent() == []


def test_of_very_many_stores_the_worst_are_listed(
    stores: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(paper, "MOST_STORES", 2)
    found = find()
    text = " ".join(text_of(pdf.make_pdf(found, US)).split())
    assert "The 2 with the most downtime are listed; the Excel file has the other 5 too." in text
    worst = [found.details.stores.ids[place] for place in found.worst[:2]]
    assert [row["id"] or row["name"] for row in describe(found, US)["stores"]] == worst


def test_half_a_page_of_too_many_stores_is_refused_at_once(
    stores: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(finding, "MOST_WITH_PAGES", 6)
    with pytest.raises(BadRequest, match="There are 7 stores"):
        documents.request(Wanted(each_store=True))
    documents.request(Wanted("xlsx", each_store=True))
    documents.request(Wanted(group="Mine", each_store=True))


def test_over_http(service: Workspace):
    service.import_now(polls_of("a", "uuuuddduuuu"))
    accepted = ask("/documents", "POST", window="7d", format="pdf")
    assert accepted.status_code == 202, accepted.text
    found = accepted.json()
    address = f"/documents/{found['document_id']}"
    wait_until("the document is made", lambda: get(address)["status"] != "Running")
    state = get(address)
    assert (state["status"], state["stores"], state["window"]) == ("Complete", 1, "7d")
    assert state["file_url"].endswith(f"{address}/file")
    file = ask(f"{address}/file")
    assert file.headers["content-type"] == "application/pdf"
    assert len(file.content) == state["size"]
    assert "offline" in text_of(file.content)
    name = file.headers["content-disposition"]
    assert name == 'attachment; filename="restmon-All-stores-7d.pdf"'
    assert state["document_id"] in {one["document_id"] for one in get("/documents")["documents"]}
    assert "There is no document 'x'." in refused("/documents/x", 404)
    bad = ask("/documents", "POST", window="soon")
    assert bad.status_code == 400
    assert "yesterday, last week" in bad.json()["error"]["hint"]


def test_an_unfinished_document_has_no_file_yet(stores: Workspace):
    row = documents.request(Wanted(period="7d"))
    answer = ask(f"/documents/{row.id}/file")
    assert (answer.status_code, answer.json()["status"]) == (202, "Running")
    documents.work(row.id)
    files.delete(Kind.DOCUMENT, documents.key_of(row))
    assert "no longer in the documents folder" in refused(f"/documents/{row.id}/file", 404)


def test_by_the_command_line(stores: Workspace):
    out = stores.path / "weekly.pdf"
    done = stores.command(
        *("document", "--group", "Mine", "--window", "7d", "--paper", "a4", "--output", out)
    )
    assert done.returncode == 0, done.stderr
    assert "3 stores, Last 7 days" in done.stdout
    assert "Mine" in text_of(out.read_bytes())
    for arguments, sentence in (
        (("--window", "soon"), "is not known"),
        (("--group", "Nobody"), "There is no group 'Nobody'."),
    ):
        bad = stores.command("document", *arguments, "--output", stores.path / "no.pdf")
        assert bad.returncode == 2
        assert sentence in bad.stderr
        assert not (stores.path / "no.pdf").exists()


def test_an_owner_gets_a_document_of_their_own_stores_alone(people: Workspace):
    owner, other = actor_of("owner"), actor_of("other")
    row = make(Wanted(period="7d"), owner)
    text = text_of(documents.read_file(row))
    assert "1 store" in text
    for name in ("New_York", "c:1", "idle", "Theirs"):
        assert name not in text
    with pytest.raises(NotFound):
        documents.get(row.id, other)
    with pytest.raises(NotFound):
        documents.request(Wanted(group="Theirs"), actor=owner)
    viewer = Actor("v@example.com", Role.VIEWER)
    with pytest.raises(Exception, match="may not do this"):
        documents.request(Wanted(), actor=viewer)


def test_the_page_asks_for_a_document_and_offers_it(stores: Workspace):
    at = page("documents")
    assert "No document yet." in seen(at)
    at.selectbox(key="document_window").set_value("7d").run()
    at.selectbox(key="document_group").set_value("Mine").run()
    (button,) = [one for one in at.button if one.label == "Make the document"]
    well(button.click().run())
    (row,) = documents.list_recent()
    assert (row.period, row.requested_by) == ("7d", "dashboard")
    tasks.run_document.call_local(row.id)
    at = page("documents", document=row.id)
    assert "Download restmon-Mine-7d.pdf" in seen(at)


def test_housekeeping_deletes_old_documents(stores: Workspace, monkeypatch: pytest.MonkeyPatch):
    row = make(Wanted(period="7d"))
    key = documents.key_of(row)
    assert kept.exists(Kind.DOCUMENT, key)
    with database.writing():
        documents.Document.update(finished_at=models.now() - 91 * DAY).execute()
    kept.age(Kind.DOCUMENT, key, 91)
    assert housekeeping.clean().documents == 1
    assert not kept.exists(Kind.DOCUMENT, key)
