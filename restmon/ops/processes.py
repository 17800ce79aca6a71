"""Starting the three processes: each in the foreground, or all of them together."""

import errno
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

import click
from peewee import PeeweeException

from restmon.access import exposure
from restmon.demo import demo_stores
from restmon.errors import RestmonError, SettingsError
from restmon.leasing import heartbeats
from restmon.ops.supervisor import supervise
from restmon.ops.watchdog import OWN_ADDRESS
from restmon.settings import Settings, get_settings
from restmon.storage import database

ROOT = Path(__file__).parents[2]
TOGETHER = ("dashboard", "api", "worker")


def _become(*command: str) -> None:
    """Replace this process by a program, so that signals and the exit status are the program's."""
    get_settings()  # a wrong setting is reported before anything starts
    os.environ["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(ROOT), os.environ.get("PYTHONPATH", "")) if part
    )
    os.execv(sys.executable, [sys.executable, *command])  # noqa: S606  # nosec B606


def worker() -> None:
    """Become a worker process."""
    _become("-m", "jobs")


def api() -> None:
    """Become the API's process."""
    settings = get_settings()
    check_port(settings.api_host, settings.api_port, "API", "RESTMON_API_PORT")
    _become(str(ROOT / "api_server.py"))


def dashboard(*options: str) -> None:
    """Become the dashboard's process; ``options`` are those of `restmon.dashboard.server`."""
    settings = get_settings()
    check_port(
        settings.dashboard_host, settings.dashboard_port, "dashboard", "RESTMON_DASHBOARD_PORT"
    )
    _become("-m", "restmon.dashboard.server", *options)


def check_port(host: str, port: int, name: str, variable: str) -> None:
    """Raise SettingsError if the server cannot listen on the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        why = (
            "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
        )
        raise SettingsError(
            f"Port {port} on {host}, where the {name} should listen, {why}.",
            f"Stop the other program, or set {variable} to another port.",
        ) from None


def check_folder(folder: Path) -> None:
    """Make the folder if it is missing. Raises RestmonError if files cannot be made in it."""
    probe = folder / f".restmon-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise RestmonError(
            f"The data folder {folder.resolve()} cannot be written: {error.strerror}.",
            "Make it writable, or set RESTMON_DATA_DIR to another folder.",
        ) from None


def prepare(settings: Settings) -> None:
    """Check ports and folders, migrate the database, and load the demo into an empty one."""
    check_port(settings.api_host, settings.api_port, "API", "RESTMON_API_PORT")
    check_port(
        settings.dashboard_host, settings.dashboard_port, "dashboard", "RESTMON_DASHBOARD_PORT"
    )
    check_folder(settings.data_dir)
    database.configure(settings)
    exposure.check_api(settings)
    exposure.check_dashboard(settings)
    if demo_stores.load_demo():
        click.echo(
            "The database was empty: demo stores are loaded, your first import removes them."
        )


def run_all() -> int:
    """Run dashboard, API and worker until Ctrl-C; returns the exit status."""
    settings = get_settings()
    prepare(settings)
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), env.get("PYTHONPATH")]))
    commands = {name: [sys.executable, "-m", "restmon", name] for name in TOGETHER}
    return supervise(
        commands,
        env,
        ready=lambda: _all_are_ready(settings),
        tell=lambda: click.echo(
            "\nrestmon is running.\n\n"
            f"  Dashboard  {settings.dashboard_url}\n"
            f"  API        {settings.api_url}\n"
            f"  API docs   {settings.api_url}/docs\n\n"
            "Stop with Ctrl-C.\n"
        ),
    )


def _all_are_ready(settings: Settings) -> bool:
    """Whether dashboard and API listen, and a worker is alive."""
    addresses = (
        (settings.dashboard_host, settings.dashboard_port),
        (settings.api_host, settings.api_port),
    )
    with suppress(RestmonError, PeeweeException):
        return all(_listens(*address) for address in addresses) and heartbeats.is_worker_alive()
    return False


def _listens(host: str, port: int) -> bool:
    own = OWN_ADDRESS.get(host, host).strip("[]")
    try:
        socket.create_connection((own, port), timeout=1).close()
    except OSError:
        return False
    return True
