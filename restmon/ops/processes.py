"""Starting the three processes: each in the foreground, or all of them together."""

import errno
import os
import socket
import sys
import time
from pathlib import Path

import click
from honcho import manager
from honcho.environ import parse_procfile
from honcho.manager import Manager

from restmon import accounts, api_keys, database, imports
from restmon.errors import RestmonError, SettingsError
from restmon.settings import Settings, get_settings

ROOT = Path(__file__).parent.parent
MOST_RESTARTS = 5
RESTARTS_WITHIN_SECONDS = 60


def _become(*command: str) -> None:
    """Replace this process, so that signals and exit status are the program's own."""
    get_settings()  # a wrong setting is told before anything starts
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


def dashboard() -> None:
    """Become the dashboard's process."""
    settings = get_settings()
    check_port(
        settings.dashboard_host, settings.dashboard_port, "dashboard", "RESTMON_DASHBOARD_PORT"
    )
    _become("-m", "pages.server")


def check_port(host: str, port: int, name: str, variable: str) -> None:
    """Raise SettingsError when nothing can listen on the port."""
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
    """Raise RestmonError when files cannot be made in the folder (it is made if missing)."""
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


class RestartingManager(Manager):
    """A honcho manager that starts a process again when it dies by itself.

    After five deaths of one process within a minute it gives up and stops all, as honcho does.
    """

    def __init__(self) -> None:
        super().__init__()
        self._deaths: dict[str, list[float]] = {}

    def _any_stopped(self) -> bool:
        if self._terminating:
            return bool(super()._any_stopped())
        for name, state in self._processes.items():
            if state.get("returncode") is None:
                continue
            deaths = [
                t
                for t in self._deaths.get(name, [])
                if time.monotonic() - t < RESTARTS_WITHIN_SECONDS
            ]
            self._deaths[name] = [*deaths, time.monotonic()]
            if len(deaths) >= MOST_RESTARTS:
                self._system_print(f"{name} died {len(deaths) + 1} times in a minute; stopping\n")
                return True
            self._system_print(f"{name} died; starting it again\n")
            self.returncode = None
            del state["returncode"], state["pid"]
            state["process"].join()
            state["process"] = manager.multiprocessing.Process(
                name=name, target=state["obj"].run, args=(self.events, True)
            )
            state["process"].start()
        return False


def prepare(settings: Settings) -> None:
    """Check ports and folders, bring the database up to date, load the demo if it is empty."""
    check_port(settings.api_host, settings.api_port, "API", "RESTMON_API_PORT")
    check_port(
        settings.dashboard_host, settings.dashboard_port, "dashboard", "RESTMON_DASHBOARD_PORT"
    )
    check_folder(settings.data_dir)
    database.configure(settings)
    api_keys.check_exposure(settings)
    accounts.check_exposure(settings)
    if imports.load_demo():
        click.echo(
            "The database was empty: demo stores are loaded, your first import removes them."
        )


def run_all() -> int:
    """Run the Procfile's processes until Ctrl-C; returns the exit status."""
    settings = get_settings()
    prepare(settings)
    manager.KILL_WAIT = 25  # seconds for running work to finish before SIGKILL
    all_of_them = RestartingManager()
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    procfile = parse_procfile((ROOT / "Procfile").read_text())
    for name, command in procfile.processes.items():
        all_of_them.add_process(name, command, env=environment)
    click.echo(f"Dashboard  {settings.dashboard_url}")
    click.echo(f"API        {settings.api_url}")
    click.echo("Stop with Ctrl-C.")
    all_of_them.loop()
    return 0 if all_of_them.returncode in (130, 143) else int(all_of_them.returncode or 0)
