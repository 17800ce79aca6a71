"""The files in deploy/ name commands, settings and files that are there."""

import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path

import yaml

from restmon.cli.main import main
from restmon.settings import ENV_FILE, Settings
from tests.support.environment import ROOT, missing

DEPLOY = ROOT / "deploy"
TEXTS = {path.name: path.read_text() for path in DEPLOY.iterdir()}
UNIT = TEXTS["restmon@.service"]


def test_every_setting_that_is_named_is_one():
    names = {f"RESTMON_{field.name.upper()}" for field in fields(Settings)} | {ENV_FILE}
    for name, text in TEXTS.items():
        named = set(re.findall(r"(?<![{$\w])(RESTMON_[A-Z_]+)\s*[=:]", text))
        assert named <= names, name


def test_every_process_that_is_started_is_a_command():
    started = set(re.findall(r"restmon@(\w+)\.service", TEXTS["restmon.target"]))
    services = yaml.safe_load(TEXTS["compose.yaml"])["services"]
    composed = {service["command"][0] for name, service in services.items() if name != "database"}
    assert started == composed == {"worker", "api", "dashboard"}
    assert started <= set(main.commands)
    assert "ExecStart=/opt/restmon/.venv/bin/python -m restmon %i" in UNIT
    assert all("healthcheck" in service for service in services.values())


def test_containers_share_the_database_and_the_key_and_nothing_else():
    composed = yaml.safe_load(TEXTS["compose.yaml"])
    services = composed["services"]
    assert {name for name, service in services.items() if "volumes" in service} == {"database"}
    assert list(composed["volumes"]) == ["database"]
    for name in set(services) - {"database"}:
        known = services[name]["environment"]
        assert known["RESTMON_DATABASE_URL"].startswith("postgresql://")
        assert known["RESTMON_SECRET_KEY"] == "${RESTMON_SECRET_KEY:?set it}"


def test_the_image_has_all_that_the_processes_need():
    copied = re.findall(r"^COPY (.+) \S+$", TEXTS["Dockerfile"], re.MULTILINE)
    sources = {name for line in copied for name in line.split()}
    assert all((ROOT / name).exists() for name in sources)
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {line.split("/")[0] for line in tracked if line.endswith(".py")}
    assert top - {"tests", "tools", "benchmarks"} <= sources
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert not {Path(name).name for name in sources} & set(ignored)


def test_a_worker_has_the_time_it_takes_to_stop():
    from jobs.worker import SHUTDOWN_SECONDS

    (seconds,) = re.findall(r"TimeoutStopSec=(\d+)", UNIT)
    assert int(seconds) > SHUTDOWN_SECONDS
    assert f"stop_grace_period: {seconds}s" in TEXTS["compose.yaml"]


def test_systemd_understands_the_units(tmp_path: Path):
    if not shutil.which("systemd-analyze"):
        missing("systemd", "there is no systemd-analyze on the PATH")
    for name in ("restmon@.service", "restmon.target"):
        text = TEXTS[name].replace("/opt/restmon/.venv/bin/python", "/bin/true")
        text = text.replace("User=restmon", "User=root").replace("Group=restmon", "Group=root")
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "restmon@worker.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "restmon" not in done.stderr, done.stderr
