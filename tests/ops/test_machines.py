"""An API machine, a dashboard machine and three worker machines that share nothing but the address
of the database: one is cut off in the middle, one has a clock that is 5 minutes wrong."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from restmon.access import accounts, api_keys
from restmon.access.roles import Role
from restmon.ingest import imports
from restmon.notify import channels, secrets
from restmon.reporting import computation, reports, shards
from restmon.settings import get_settings
from restmon.storage import files
from restmon.storage.files import Kind
from restmon.storage.models import COMPLETE, RUNNING
from tests.support import kept
from tests.support.browser import launched, settle, visiting
from tests.support.clock import WORKER_CLOCK
from tests.support.environment import wait_until
from tests.support.http import Answer, http, multipart
from tests.support.machines import Machine, Site, site
from tests.support.people import PASSWORD
from tests.support.workers import BECOME_A_WORKER, PAUSING, SHORT_LEASES, ended
from tests.support.workspace import HOURS_HEADER, POLLS_HEADER, Running, open_workspace

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

STORES, AT_ONCE = 12, 3
NAMES = ["api", "dashboard", "steady", "cut", "wrong"]
OPERATOR = "operator@example.com"
MINUTES_WRONG = 5


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, NAMES) as made, open_workspace(made.office):
        yield made


def start_worker(machine: Machine, change: str = "") -> Running:
    change += SHORT_LEASES.format(seconds=5, attempts=3)
    env = {"RESTMON_SHARD_STORES": str(AT_ONCE)}
    running = machine.start("-c", change + BECOME_A_WORKER, env=env)
    return ready(running, "worker ready")


def ready(running: Running, said: str) -> Running:
    def is_ready() -> bool:
        assert running.process.poll() is None, running.output
        return said in running.output

    wait_until("it is ready", is_ready, describe=lambda: running.output)
    return running


class Api:
    """The API on its machine, asked with a key."""

    def __init__(self, machine: Machine) -> None:
        self.url = f"http://{machine.address}:{machine.env['RESTMON_API_PORT']}"
        self.headers = {"Authorization": f"Bearer {api_keys.make('test', 'operator')}"}

    def ask(self, path: str, method: str = "GET", body: Any = None) -> Answer:
        headers = dict(self.headers)
        if isinstance(body, list):
            body, form = multipart(body)
            headers |= form
        elif body is not None:
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        return http(self.url + path, method, body, headers)

    def import_files(self, *given: tuple[str, str, bytes]) -> str:
        answer = self.ask("/import_data?wait=false", "POST", list(given))
        assert answer.status == 202, answer.text
        return str(answer.json["import_id"])


def polls(day: int, extra: str = "") -> bytes:
    lines = (
        f"s{store:02},{status},2023-01-{day} {hour:02}:14:00 UTC\n"
        for store in range(STORES)
        for status in ["active" if store % 3 else "inactive"]
        for hour in range(0, 24, 2)
    )
    return (POLLS_HEADER + "".join(lines) + extra).encode()


def test_machines_that_share_nothing_but_the_database(machines: Site, chromium: str):
    at = machines.machines
    accounts.add(OPERATOR, Role.OPERATOR, PASSWORD)
    api = Api(at["api"])
    ready(at["api"].start("-m", "restmon", "api"), "API ready")
    ready(at["dashboard"].start("-m", "restmon", "dashboard"), "Dashboard ready")

    # An upload of the API's machine is imported by one whose clock is wrong.
    wrong = WORKER_CLOCK.format(seconds=MINUTES_WRONG * 60)
    first = start_worker(at["wrong"], wrong)
    hours = "".join(
        f"s{store:02},{day},08:00,20:00\n" for store in range(STORES) for day in range(7)
    )
    import_id = api.import_files(
        ("polls", "polls.csv", polls(22, "s00,perhaps,2023-01-22 03:00:00 UTC\n")),
        ("business_hours", "hours.csv", (HOURS_HEADER + hours).encode()),
    )
    row = ended(imports.get, import_id)
    assert (row.status, row.counts["rejected"]) == (COMPLETE, 1), row.error
    assert f":{first.process.pid}:" in row.lease_owner
    wait_until("the uploads are gone", lambda: not kept.keys(Kind.UPLOAD))
    state = api.ask(f"/import_data?import_id={import_id}").json
    rejected = http(state["rejected_csv_url"], headers=api.headers)
    assert "perhaps" in rejected.text
    assert download_rejected(at["dashboard"], import_id, chromium) == rejected.text
    assert first.stop() == 0

    # A machine is cut off with an import half written and a part of a report half computed.
    hold = machines.office.write("hold", "")
    cut = start_worker(at["cut"], PAUSING.format(hold=str(hold)))
    second = api.import_files(("polls", "later.csv", polls(23)))
    wait_until("it writes", lambda: cut.output.count("at it") == 1, describe=lambda: cut.output)
    report_id = api.ask("/trigger_report", "POST").json["report_id"]
    wait_until("it computes", lambda: cut.output.count("at it") == 2, describe=lambda: cut.output)
    at["cut"].cut_off()
    start_worker(at["steady"])
    start_worker(at["wrong"], wrong)
    row = ended(imports.get, second)
    assert (row.status, row.attempts, row.counts["rejected"]) == (COMPLETE, 2, 0), row.error
    report = ended(reports.get, report_id)
    assert report.status == COMPLETE, report.error
    parts = shards.list_shards(report_id)
    assert len(parts) == STORES // AT_ONCE
    assert sorted(part.attempts for part in parts)[-1] == 2
    whole = computation.compute(report.as_of).csv()
    assert report.as_of == computation.parse_as_of("2023-01-22 22:14:00")
    assert api.ask(f"/get_report?report_id={report_id}&format=csv").text == whole
    wait_until("the parts are joined", lambda: not kept.keys(Kind.PART))

    # It comes back, and what it does is too late.
    hold.unlink()
    at["cut"].connect()
    wait_until("it works again", lambda: worked(api, cut), describe=lambda: cut.output)
    assert api.ask(f"/get_report?report_id={report_id}&format=csv").text == whole
    assert reports.get(report_id).lease_owner == report.lease_owner
    assert imports.get(second).lease_owner == row.lease_owner
    assert kept.keys(Kind.UPLOAD) == kept.keys(Kind.PART) == []

    # What one machine makes the others serve.
    details = api.ask(f"/get_report?report_id={report_id}&format=json").json
    assert details["csv"] == whole
    made = api.ask("/documents", "POST", {"window": "7d", "format": "csv"})
    assert made.status == 202, made.text
    document_id = made.json["document_id"]
    document = wait_until("it is made", lambda: done(api, f"/documents/{document_id}"))
    assert document["status"] == COMPLETE
    file = api.ask(f"/documents/{document_id}/file")
    assert (file.status, file.text.splitlines()[0].startswith("store_id")) == (200, True)
    nothing_in_folders(machines)


def done(api: Api, path: str) -> Any:
    state = api.ask(path).json
    return None if state["status"] == RUNNING else state


def worked(api: Api, running: Running) -> bool:
    """Whether a job that is asked for now is done by the worker."""
    report = ended(reports.get, api.ask("/trigger_report", "POST").json["report_id"])
    parts = shards.list_shards(report.id)
    assert report.status == COMPLETE, report.error
    owner = f":{running.process.pid}:"
    return any(owner in (part.lease_owner or "") for part in [report, *parts])


def download_rejected(machine: Machine, import_id: str, chromium: str) -> str:
    """The rejected lines, as the dashboard on its machine gives them to a browser."""
    url = f"http://{machine.address}:{machine.env['RESTMON_DASHBOARD_PORT']}"
    address = f"{url}/upload?{urlencode({'import': import_id})}"
    with launched(chromium) as browser, visiting(browser, address, wait=False) as page:
        page.get_by_label("E-mail").fill(OPERATOR)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        settle(page)
        page.goto(address)
        settle(page)
        button = page.get_by_role("button", name="Download all 1 rejected lines")
        expect(button).to_be_visible()
        with page.expect_download() as downloaded:
            button.click()
        return downloaded.value.path().read_bytes().decode()


def nothing_in_folders(machines: Site) -> None:
    """No machine has a file of another's; where data folders are file systems of their own, nobody
    could even see one."""
    for machine in machines.machines.values():
        folder = Path(machine.env["RESTMON_DATA_DIR"])
        left = [path for path in folder.rglob("*") if path.is_file()]
        assert left == [], machine.name
    assert not files.path_of(Kind.REPORT, "x")


def test_the_links_of_the_real_machine_stay_as_they_are(tmp_path: Path):
    """A browser of a test beside this one ends what it loads when one of them changes."""
    outside = subprocess.Popen(  # what it starts later sees the network from before
        ["sh", "-c", "read go; cat /proc/net/dev /proc/net/fib_trie"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with site(tmp_path, NAMES[:2]) as made:
        seen, _ = outside.communicate("go\n", 60)
        assert "lo:" in seen
        for machine in made.machines.values():
            if machine.link is not None:
                assert machine.link not in seen
                assert machine.address not in seen


def test_a_machine_without_the_key_is_told(machines: Site):
    at = machines.machines
    channels.add_channel("Chat", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/")
    running = at["steady"].start("-m", "restmon", "worker")
    assert running.process.wait(120) == 2
    sentence = "This machine has no key with which the addresses"
    assert sentence in running.output
    accounts.add(OPERATOR, Role.OPERATOR, PASSWORD)
    api_keys.make("test", "operator")
    for name, started in (("api", "API ready"), ("dashboard", "Dashboard ready")):
        other = at[name].start("-m", "restmon", name)
        ready(other, started)
        wait_until(f"the {name} says so", lambda one=other: sentence in one.output)
    key = (get_settings().data_dir / secrets.KEY_FILE).read_text()
    ready(at["cut"].start("-m", "restmon", "worker", env={"RESTMON_SECRET_KEY": key}), "ready")
