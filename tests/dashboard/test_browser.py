"""The dashboard in a real browser: journeys, phone width, accessibility."""

import gzip
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from restmon.access import accounts, audit
from restmon.access.roles import Role
from restmon.reporting import computation, reports
from restmon.stores import groups
from tests.support.browser import DESKTOP, PHONE, launched, settle, too_wide, visiting
from tests.support.oidc import provider
from tests.support.workspace import (
    HOURS_HEADER,
    POLLS_HEADER,
    ZONES_HEADER,
    Workspace,
    make_workspace,
    open_workspace,
)

pytestmark = [pytest.mark.browser]

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
PAGES = [
    *("", "stores", "store?store=demo-00004", "outages", "upload", "reports", "data_check"),
    *("settings", "access", "help", "documents", "alerts", "groups", "trend"),
]
TABS = [
    *("settings?part=Groups", "settings?part=Targets", "settings?part=Delete data"),
    *("access?access_part=API keys", "access?access_part=Audit", "account"),
]
POLLS = "".join(
    f"{store},{'inactive' if store == 'mine-2' and hour > 17 else 'active'},"
    f"2023-01-{day} {hour:02d}:05:00.000001 UTC\n"
    for day in (23, 24)
    for hour in range(24)
    for store in ("mine-1", "mine-2")
)
HOURS = "".join(f"mine-{n},{day},09:00:00,17:00:00\n" for n in (1, 2, 3) for day in range(7))
PASSWORD = "four words nobody guesses"
ZONES = "mine-1,America/Chicago\nmine-2,America/New_York\n"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with launched(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Workspace]:
    """A dashboard and a worker on the demo stores, with a complete report; not to be changed."""
    made = make_workspace(tmp_path_factory.mktemp("demo"))
    try:
        assert made.restmon("demo", "--load").returncode == 0
        with open_workspace(made):
            for _ in range(2):
                reports.work(reports.request(requested_by="dashboard").id)
        made.start_worker()
        made.start_dashboard()
        yield made
    finally:
        made.stop_all()


@pytest.fixture
def own(workspace: Workspace, chromium: str) -> Workspace:
    """A dashboard and a worker on an empty database of this test's own."""
    workspace.start_worker()
    workspace.start_dashboard()
    return workspace


def faults(page: Page) -> list[str]:
    """What axe-core finds on the page by any of its rules, besides STREAMLITS_OWN."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate("axe.run(document)")
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:200]}"
        for rule in found["violations"]
        for node in rule["nodes"]
        if not any(rule["id"] == own and part in node["html"] for own, part in STREAMLITS_OWN)
    ]


STREAMLITS_OWN = [("presentation-role-conflict", 'data-testid="stFileUploaderDropzone"')]
"""What axe-core finds in elements of Streamlit that restmon cannot change: the rule, and a part of
the element. The place to drop files is a section with the role presentation that can be focused,
and has a name; the button inside it does the same (minor, seen in Streamlit 1.67)."""


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES + TABS)
def test_every_page_is_accessible_and_fits_a_phone(browser: Browser, demo: Workspace, path: str):
    with visiting(browser, f"{demo.dashboard}/{path}", theme="light") as page:
        assert page.get_by_text("Demo data.").is_visible()
        assert faults(page) == []
        page.emulate_media(color_scheme="dark")
        page.reload()
        settle(page)
        assert faults(page) == []
        page.set_viewport_size(PHONE)
        page.wait_for_function("() => innerWidth === 390")
        settle(page)
        assert too_wide(page) == []
        assert faults(page) == []
        page.emulate_media(color_scheme="light")
        page.reload()
        settle(page)
        assert faults(page) == []
        assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("path", ["store?store=demo-00004", "settings", "help"])
def test_a_deep_link_may_be_the_first_request_of_all(
    browser: Browser, workspace: Workspace, path: str
):
    workspace.import_now("demo-00004,active,2023-01-25 18:00:00 UTC\n")
    workspace.start_dashboard()
    with visiting(browser, f"{workspace.dashboard}/{path}") as page:
        name = path.partition("?")[0].replace("_", " ")
        heading = {"store": "Store demo-00004", "help": "What the numbers mean"}
        tab = {"store": "Store demo-00004"}
        expect(page.get_by_role("heading", level=1)).to_have_text(
            heading.get(name, name.capitalize())
        )
        expect(page).to_have_title(f"{tab.get(name, name.capitalize())} · restmon")
        expect(page.get_by_role("link", name="Overview")).to_be_visible()
        assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["server", "__init__"])
def test_the_name_of_a_module_runs_nothing(browser: Browser, workspace: Workspace, name: str):
    workspace.import_now("demo-00004,active,2023-01-25 18:00:00 UTC\n")
    workspace.start_dashboard()
    with visiting(browser, f"{workspace.dashboard}/{name}") as page:
        expect(page.get_by_text("Page not found", exact=True)).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_text(["Overview"])
        expect(page).to_have_title("Overview · restmon")


def test_the_overview_is_found_by_its_name_too(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/overview?search=demo-00004") as page:
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        expect(page.get_by_label("Search stores")).to_have_value("demo-00004")
        expect(page.get_by_text("Page not found")).to_have_count(0)


def test_a_filter_is_in_the_address(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/stores") as page:
        page.get_by_label("Search stores").fill("demo-00004")
        page.keyboard.press("Enter")
        page.wait_for_url("**search=demo-00004**")
        settle(page)
        with visiting(browser, page.url) as shared:
            expect(shared.get_by_label("Search stores")).to_have_value("demo-00004")


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_a_store_is_opened_from_the_table(browser: Browser, demo: Workspace, size: dict[str, int]):
    """With one click or tap anywhere in its row, or with Enter; Back brings the filter back."""
    name = re.compile(r"^Store \w.*, .* \(demo-00004\)$")
    with visiting(browser, f"{demo.dashboard}/stores?search=demo-00004", size) as page:
        heading = page.get_by_role("heading", level=1)
        page.locator(".rows td").nth(2).click(force=True)
        expect(heading).to_have_text(name)
        settle(page)
        page.go_back()
        expect(heading).to_have_text("Stores")
        expect(page.get_by_label("Search stores")).to_have_value("demo-00004")
        page.get_by_role("link", name="demo-00004").focus()
        page.keyboard.press("Enter")
        expect(heading).to_have_text(name)
        if size == DESKTOP:  # a phone's menu has to be opened first
            page.get_by_role("link", name="Stores", exact=True).first.click()
            expect(page.get_by_label("Search stores")).to_have_value("demo-00004")


@pytest.mark.slow
def test_a_point_of_the_chart_leads_to_the_outages_of_that_hour(
    browser: Browser, workspace: Workspace
):
    workspace.import_now(polls=POLLS)
    workspace.start_dashboard()
    with visiting(browser, workspace.dashboard) as page:
        chart = page.get_by_test_id("stPlotlyChart").first
        point = chart.locator(".scatterlayer .point").last
        point.scroll_into_view_if_needed()
        spot: Any = point.bounding_box()
        x, y = spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2
        page.mouse.move(x - 3, y)
        page.mouse.move(x, y)
        expect(chart.locator(".hovertext")).to_be_visible()
        page.mouse.click(x, y)
        expect(page.get_by_role("heading", level=1)).to_have_text("Outages")
        page.wait_for_url("**/outages?from=2023-01-24T*")
        row = page.get_by_role("row", name="mine-2")
        expect(row).to_have_count(1)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download (CSV)").click()
        assert "\nmine-2," in download.value.path().read_text()
        row.get_by_text("ongoing").click(force=True)  # wherever it is clicked, in the same tab
        expect(page.get_by_role("heading", level=1)).to_have_text("Store mine-2")
        page.go_back()
        expect(page.get_by_role("heading", level=1)).to_have_text("Outages")
        link = page.get_by_role("link", name="mine-2")
        link.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("Store mine-2")
        assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.slow
def test_an_open_page_shows_what_comes_in_by_itself(browser: Browser, own: Workspace):
    half_a_minute = 30_500
    with visiting(browser, own.dashboard, wait=False) as page:
        page.clock.install()
        page.reload()
        expect(page.get_by_text("There are no polls yet.")).to_be_visible()
        own.import_now("a,active,2023-01-25 17:00:00 UTC\n")
        page.clock.fast_forward(half_a_minute)
        expect(page.get_by_text("No polls since Wed, Jan 25, 2023, 11:00 AM CST")).to_be_visible()
        settle(page)
        page.get_by_label("Search stores").fill("a")
        page.keyboard.press("Enter")
        page.wait_for_url("**search=a**")
        settle(page)
        own.import_now("a,inactive,2023-01-25 18:00:00 UTC\n")
        page.clock.fast_forward(half_a_minute)
        expect(page.get_by_text("No polls since Wed, Jan 25, 2023, 12:00 PM CST")).to_be_visible()
        expect(page.get_by_text("1 of 1 store was down")).to_be_visible()
        expect(page.get_by_label("Search stores")).to_have_value("a")


@pytest.mark.slow
@pytest.mark.parametrize(("path", "opens"), [("store", "Store s-599"), ("settings", "Settings")])
def test_one_of_many_stores_is_found_by_a_part_of_its_id(
    browser: Browser, workspace: Workspace, path: str, opens: str
):
    polls = "".join(f"s-{n},active,2023-01-24 12:00:00 UTC\n" for n in range(600))
    workspace.import_now(polls=polls)
    workspace.start_dashboard()
    with visiting(browser, f"{workspace.dashboard}/{path}", PHONE) as page:
        box = page.get_by_role("combobox", name="Store")
        box.fill("99")
        page.keyboard.press("Enter")
        expect(page.get_by_text("6 stores have “99” in the id")).to_be_visible()
        page.get_by_role("button", name="s-599").click()
        page.wait_for_url(f"**/{path}?store=s-599")
        expect(page.get_by_text("6 stores have")).to_have_count(0)
        expect(page.get_by_role("heading", level=1)).to_have_text(opens)
        expect(box).to_have_value("s-599")
        box.fill("nobody")
        page.keyboard.press("Enter")
        expect(page.get_by_text("There is no store “nobody”")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_the_dashboard_stops_in_order_while_a_page_is_open(
    browser: Browser, workspace: Workspace, sig: int
):
    running = workspace.start_dashboard()
    with visiting(browser, workspace.dashboard):
        assert running.stop(sig) == 0
    assert "Traceback" not in running.output


def test_the_main_button_is_reached_by_the_keyboard(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/reports") as page:
        button = page.get_by_role("button", name="Make the report")
        for _ in range(60):
            page.keyboard.press("Tab")
            if button.evaluate("e => e === document.activeElement"):
                return
        pytest.fail("60 times Tab do not reach the button")


def upload(page: Page, files: list[tuple[str, bytes]]) -> None:
    page.locator("input[type=file]").first.set_input_files(
        [{"name": name, "mimeType": "text/csv", "buffer": content} for name, content in files]
    )


@pytest.mark.slow
def test_from_three_files_to_a_report_and_a_store(browser: Browser, own: Workspace):
    with visiting(browser, own.dashboard) as page:
        page.get_by_role("link", name="Upload files").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Upload")
        polls = POLLS + "mine-1,perhaps,2023-01-24 12:00:00 UTC\n"
        upload(
            page,
            [
                ("status.csv", (POLLS_HEADER + polls).encode()),
                ("menu.csv.gz", gzip.compress((HOURS_HEADER + HOURS).encode())),
                ("zones.csv", (ZONES_HEADER + ZONES).encode()),
            ],
        )
        for kind in ("Polls", "Business hours", "Time zones"):
            expect(page.get_by_test_id("stMain").get_by_text(f"{kind} · ")).to_be_visible()
        expect(page.get_by_text("1 of 97 lines would be rejected")).to_be_visible()
        page.get_by_role("button", name="Import 3 files").click()
        expect(page.get_by_text("The rejected lines were left out")).to_be_visible()
        read = page.get_by_test_id("stMetric").filter(has_text="Lines read")
        expect(read).to_contain_text("120")
        with page.expect_download() as rejected:
            page.get_by_role("button", name="Download all 1 rejected lines").click()
        assert "perhaps" in rejected.value.path().read_text()

        page.get_by_role("link", name="Reports").first.click()
        page.get_by_role("button", name="Make the report").click()
        expect(page.get_by_role("button", name="CSV", exact=True)).to_be_visible()
        with page.expect_download() as report:
            page.get_by_role("button", name="CSV", exact=True).click()
        assert report.value.path().read_text() == computation.compute().csv()

        page.get_by_role("link", name="Overview").first.click()
        page.get_by_role("link", name="mine-2").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Store mine-2")
        assert page.url == f"{own.dashboard}/store?store=mine-2"
        expect(page.get_by_text("When the store was up and down")).to_be_visible()
        outages = page.get_by_test_id("stMetric").filter(has_text="Outages")
        expect(outages).to_contain_text("2")


def test_the_real_files_from_upload_to_a_store(browser: Browser, own: Workspace, real_data: Path):
    names = ("store_status", "menu_hours", "timezones")
    files = [(f"{n}.csv.gz", (real_data / f"{n}.csv.gz").read_bytes()) for n in names]
    with visiting(browser, f"{own.dashboard}/upload") as page:
        upload(page, files)
        page.get_by_role("button", name="Import 3 files").click()
        expect(page.get_by_role("heading", name="Result")).to_be_visible()
        page.get_by_role("link", name="Reports").first.click()
        page.get_by_role("button", name="Make the report").click()
        with page.expect_download() as report:
            page.get_by_role("button", name="CSV", exact=True).click()
        lines = report.value.path().read_text().splitlines()
        found = computation.compute()
        assert lines == found.csv().splitlines()
        store = found.stores.ids[int(found.down[:, 2].argmax())]
        page.goto(f"{own.dashboard}/stores")
        settle(page)
        expect(page.get_by_text(f"{len(lines) - 1:,} stores")).to_be_visible()
        page.goto(f"{own.dashboard}/store?store={store}")
        settle(page)
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Store {store}")
        expect(page.get_by_text("When the store was up and down")).to_be_visible()
        assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_bad_file_is_explained_and_changes_nothing(browser: Browser, own: Workspace):
    own.import_now(polls="before,active,2023-01-24 12:00:00 UTC\n")
    before = computation.compute().csv()
    with visiting(browser, f"{own.dashboard}/upload") as page:
        upload(page, [("bad.csv", b"store_id,status\na,active\n")])
        expect(page.get_by_text("bad.csv has no column timestamp_utc")).to_be_visible()
        expect(page.get_by_role("button", name="Import 1 file")).to_have_count(0)
    assert computation.compute().csv() == before


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_login_page_and_what_stands_behind_it_are_accessible(
    browser: Browser, workspace: Workspace, theme: str
):
    people(workspace)
    workspace.start_dashboard()
    with visiting(browser, f"{workspace.dashboard}/access", PHONE, theme, wait=False) as page:
        assert faults(page) == []
        log_in(page, "operator@example.com")
        for path in (
            "access",
            "access?access_part=API keys",
            "access?access_part=Audit",
            "account",
        ):
            page.goto(f"{workspace.dashboard}/{path}")
            settle(page)
            assert faults(page) == []
            assert too_wide(page) == []


@pytest.mark.slow
def test_an_owner_logs_in_sees_their_own_and_logs_out(browser: Browser, workspace: Workspace):
    people(workspace)
    workspace.start_dashboard()
    with visiting(browser, f"{workspace.dashboard}/stores?search=mine", wait=False) as page:
        page.get_by_label("E-mail").fill("owner@example.com")
        page.get_by_label("Password").fill("not the password")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("E-mail or password is wrong.")
        log_in(page, "owner@example.com")
        assert page.url == f"{workspace.dashboard}/stores?search=mine"
        expect(page.get_by_text("1 store")).to_be_visible()
        expect(page.get_by_role("link", name="Access")).to_have_count(0)
        page.goto(f"{workspace.dashboard}/store?store=mine-2")
        settle(page)
        expect(page.get_by_text("There is no store “mine-2”")).to_be_visible()
        page.get_by_role("link", name="Upload").first.click()
        upload(page, [("polls.csv", (POLLS_HEADER + POLLS).encode())])
        expect(page.get_by_text("48 of 96 lines would be rejected")).to_be_visible()
        expect(page.get_by_text(re.compile(r"^\d+ more"))).to_have_count(0)  # all has its place
        page.get_by_text("Your account", exact=True).last.click()
        expect(page.get_by_text("You are owner@example.com")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_text("Log in to see your stores.")).to_be_visible()
        page.goto(f"{workspace.dashboard}/stores")
        expect(page.get_by_label("Password")).to_be_visible()


@pytest.mark.slow
def test_an_operator_adds_people(browser: Browser, workspace: Workspace):
    workspace.import_now(POLLS)
    accounts.add("op@example.com", "operator", PASSWORD)
    workspace.start_dashboard()
    login = f"{workspace.dashboard}/login?done=account&next=/access"
    with visiting(browser, login, wait=False) as page:
        expect(page.get_by_role("status")).to_have_text("The account is created. Log in with it.")
        page.get_by_label("E-mail").fill("op@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_text("Your account", exact=True).first).to_be_visible()
        expect(page.get_by_text(re.compile(r"^\d+ more"))).to_have_count(0)  # all has its place
        page.get_by_text("Add an account").click()
        page.get_by_label("E-mail").fill("sam@example.com")
        page.get_by_label("E-mail").press("Enter")
        page.get_by_text("You set a first password").click()
        # Tab leads to the button that shows the password, inside the same field.
        page.get_by_label("First password, at least").fill(PASSWORD)
        page.get_by_label("First password, at least").press("Tab")
        page.get_by_role("button", name="Add the account").click()
        expect(page.get_by_text("The account sam@example.com is created.")).to_be_visible()
        page.goto(f"{workspace.dashboard}/access")
        page.get_by_text("Add an account").click()
        page.get_by_label("E-mail").fill("nora@example.com")
        page.get_by_label("E-mail").press("Enter")
        page.get_by_role("button", name="Add the account").click()
        expect(page.get_by_text("The account nora@example.com is created.")).to_be_visible()
        link = page.locator("code").inner_text()
    with visiting(browser, link, wait=False) as page:
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        assert faults(page) == []
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_role("status")).to_have_text("Your password is set. Log in with it.")
        page.get_by_label("E-mail").fill("nora@example.com")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
        assert page.complaints == []  # type: ignore[attr-defined]


@pytest.mark.slow
def test_who_has_an_account_logs_in_at_the_provider(browser: Browser, workspace: Workspace):
    people(workspace)
    secrets = workspace.path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    with provider() as oidc:
        values = {
            "redirect_uri": f"{workspace.dashboard}/oauth2callback",
            "cookie_secret": "a secret of this test's own",
            "client_id": "restmon",
            "client_secret": "of no use elsewhere",
            "server_metadata_url": f"{oidc.url}/.well-known/openid-configuration",
        }
        lines = "".join(f'{name} = "{value}"\n' for name, value in values.items())
        secrets.write_text(f"[auth]\n{lines}")
        running = workspace.start_dashboard(env={"HOME": str(workspace.path)})
        oidc.claims = {"email": "stranger@example.com", "email_verified": True}
        with visiting(browser, f"{workspace.dashboard}/stores") as page:
            expect(page.get_by_text("Log in to see your stores.")).to_be_visible()
            page.get_by_role("button", name="Log in", exact=True).click()
            refusal = "You logged in as stranger@example.com. This address has no account here"
            expect(page.get_by_text(refusal)).to_be_visible()
            page.goto(f"{workspace.dashboard}/store?store=mine-1")
            expect(page.get_by_text(refusal)).to_be_visible()
        oidc.claims = {"email": "owner@example.com", "email_verified": False}
        with visiting(browser, workspace.dashboard) as page:
            page.get_by_role("button", name="Log in", exact=True).click()
            expect(page.get_by_text("You logged in as owner@example.com")).to_be_visible()
        oidc.claims = {"email": "Owner@example.com", "email_verified": True}
        with visiting(browser, workspace.dashboard) as page:
            page.get_by_role("button", name="Log in", exact=True).click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
            page.goto(f"{workspace.dashboard}/stores")
            settle(page)
            expect(page.get_by_text("1 store")).to_be_visible()
            expect(page.get_by_role("link", name="Access")).to_have_count(0)
            with open_workspace(workspace):
                newest = audit.list_recent()[0]
                accounts.set_active("owner@example.com", False)
            assert (newest.actor, newest.action) == ("owner@example.com", audit.LOGGED_IN)
            page.goto(f"{workspace.dashboard}/stores")
            expect(page.get_by_text("You logged in as Owner@example.com")).to_be_visible()
        assert "Traceback" not in running.output


def people(workspace: Workspace) -> None:
    """Two stores, one of them the owner's, and an account each for owner and operator."""
    workspace.import_now(polls=POLLS)
    with open_workspace(workspace):
        groups.create("Mine")
        groups.add("Mine", ["mine-1"])
        accounts.add("operator@example.com", Role.OPERATOR, PASSWORD)
        accounts.add("owner@example.com", Role.OWNER, PASSWORD, ["Mine"])


def log_in(page: Page, email: str) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    settle(page)


@pytest.mark.slow
def test_without_a_worker_a_report_waits_and_is_found_again(browser: Browser, workspace: Workspace):
    workspace.import_now(polls=POLLS)
    workspace.start_dashboard()
    with visiting(browser, f"{workspace.dashboard}/reports") as page:
        expect(page.get_by_text("No worker is running")).to_be_visible()
        button = page.get_by_role("button", name="Make the report")
        button.focus()
        page.keyboard.press("Enter")
        expect(page.get_by_text("waiting for a worker")).to_be_visible()
    workspace.start_worker()
    with visiting(browser, f"{workspace.dashboard}/reports") as page:
        expect(page.get_by_role("button", name="CSV", exact=True)).to_be_visible()


def test_the_menu_of_a_narrow_window_closes_after_a_choice(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/help", PHONE) as page:
        menu = page.get_by_test_id("stSidebar")
        page.get_by_test_id("stExpandSidebarButton").click()
        expect(menu).to_have_attribute("data-collapsed", "false")
        menu.get_by_role("link", name="Data check").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Data check")
        expect(menu).to_have_attribute("data-collapsed", "true")
        assert page.complaints == []  # type: ignore[attr-defined]


def test_a_button_can_be_read_when_the_theme_changes(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/reports") as page:
        button = page.get_by_role("button", name="Make the report")
        expect(button).to_have_css("color", "rgb(255, 255, 255)")
        page.emulate_media(color_scheme="dark")
        expect(button).to_have_css("color", "rgb(10, 19, 28)")


@pytest.mark.slow
def test_a_phone_shows_every_column_of_a_table_of_stores(browser: Browser, demo: Workspace):
    with visiting(browser, f"{demo.dashboard}/data_check", PHONE) as page:
        page.locator("summary").first.click()
        table = page.get_by_test_id("stDataFrame").first
        headers = table.locator("th")
        expect(headers.first).to_have_text("Store")
        table.hover()
        page.mouse.wheel(3000, 0)
        expect(headers.last).to_have_text("What")
        expect(headers.filter(has_text=re.compile("^Store$"))).to_have_count(0)
