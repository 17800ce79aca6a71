"""Several machines in one: each has its own network namespace and its own file system for its data,
and reaches nothing but the database.

Where namespaces cannot be made, a machine has a data folder of its own on 127.0.0.1, and reaches
the database through a proxy.
"""

import ctypes
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.support.clusters import Cluster, cluster, postgres_programs
from tests.support.environment import ROOT, free_port
from tests.support.proxy import Proxy, proxy
from tests.support.workspace import Running, Workspace, make_workspace

PORT_API, PORT_DASHBOARD = 8000, 8501
NETWORK = 0x40000000  # CLONE_NEWNET
ON_ITS_DISK = 'mount -t tmpfs restmon "$0" && exec "$@"'
"""Runs a program whose data folder is a file system that nobody else sees."""


def ip(*arguments: str) -> None:
    """Run ip(8). Raises CalledProcessError."""
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=60)


def enter(namespace: str) -> None:
    """Move this thread, and what it starts from now on, into a network namespace. Raises OSError
    where that is not allowed."""
    handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, NETWORK):
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), namespace)
    finally:
        os.close(handle)


@contextmanager
def exchange(name: str) -> Iterator[None]:
    """This thread stands in a network namespace of its own, to which the machines are connected.

    The links of the real machine stay as they are: a browser of another test ends what it loads
    when one of them changes. Raises CalledProcessError and OSError where it is not allowed.
    """
    with ExitStack() as stack:
        ip("netns", "add", name)
        stack.callback(ip, "netns", "delete", name)
        home = f"/proc/{os.getpid()}/task/{threading.get_native_id()}/ns/net"
        back = os.open(home, os.O_RDONLY | os.O_CLOEXEC)
        stack.callback(os.close, back)
        enter(f"/run/netns/{name}")
        stack.callback(enter, f"/proc/self/fd/{back}")
        ip("link", "set", "lo", "up")
        yield


def can_make_namespaces() -> bool:
    """Whether this machine lets the test make network namespaces."""
    if shutil.which("ip") is None:
        return False
    try:
        with exchange(f"restmon-{os.getpid()}"):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


@dataclass
class Machine:
    """A machine: what is started on it has its ``env``. ``address`` is where it is reached.
    ``namespace`` and ``link`` are None where there are none."""

    name: str
    folder: Path
    address: str
    env: dict[str, str]
    namespace: str | None = None
    link: str | None = None
    proxy: Proxy | None = None
    started: list[Running] = field(default_factory=list)

    def start(self, *arguments: str, env: dict[str, str] | None = None) -> Running:
        """Start a Python program on it, such as ``-m restmon worker``."""
        command = [sys.executable, *arguments]
        if self.namespace is not None:
            inside = ["ip", "netns", "exec", self.namespace, "sh", "-c", ON_ITS_DISK]
            command = [*inside, self.env["RESTMON_DATA_DIR"], *command]
        log = self.folder / f"{len(self.started)}.log"
        given = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **(env or {})}
        with log.open("wb") as out:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, **self.env, **given},
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started.append(Running(process, log))
        return self.started[-1]

    def cut_off(self) -> None:
        """Nothing reaches it any more, and it reaches nothing."""
        if self.link is not None:
            ip("link", "set", self.link, "down")
            return
        assert self.proxy
        for running in self.started:
            running.process.send_signal(signal.SIGSTOP)
        self.proxy.cut(silent=False)

    def connect(self) -> None:
        """The end of `cut_off`."""
        if self.link is not None:
            ip("link", "set", self.link, "up")
            assert self.namespace is not None
            return
        assert self.proxy
        self.proxy.mend()
        for running in self.started:
            running.process.send_signal(signal.SIGCONT)

    def stop_all(self) -> None:
        for running in self.started:
            if running.process.poll() is None:
                os.killpg(running.process.pid, signal.SIGKILL)
                running.process.wait(10)


@dataclass
class Site:
    """The machines, and the workspace of this process, which is one more of them."""

    office: Workspace
    machines: dict[str, Machine]


@contextmanager
def site(folder: Path, names: list[str]) -> Iterator[Site]:
    """Machines of the names, whose only common thing is a PostgreSQL server of their own."""
    with ExitStack() as stack:
        if can_make_namespaces():
            yield _with_namespaces(stack, folder, names)
        else:
            yield _with_proxies(stack, folder, names)


def _env_of(office: Workspace, folder: Path, **more: str) -> dict[str, str]:
    (folder / "data").mkdir(parents=True)
    data = str(folder / "data")
    return {**office.env, "RESTMON_DATA_DIR": data, "RESTMON_IMPORT_DIR": data, **more}


def _office(folder: Path, url: str) -> Workspace:
    (folder / "office").mkdir()
    return make_workspace(folder / "office", url)


def _with_namespaces(stack: ExitStack, folder: Path, names: list[str]) -> Site:
    stack.enter_context(exchange(f"restmon-{os.getpid()}"))
    net = f"10.213.{random.randrange(256)}"
    port = free_port()
    settings = {"listen_addresses": "'*'"}
    server = stack.enter_context(
        cluster(postgres_programs(), port, trusts=f"{net}.0/24", **settings)
    )
    ip("address", "add", f"{net}.254/32", "dev", "lo")
    stack.callback(ip, "address", "delete", f"{net}.254/32", "dev", "lo")
    server.create("restmon")
    office = _office(folder, f"postgresql://restmon@{net}.254:{port}/restmon")
    machines = {}
    for number, name in enumerate(names):
        namespace, link = f"restmon-{os.getpid()}-{number}", f"rm{os.getpid()}-{number}"
        here, there = f"{net}.{4 * number + 1}", f"{net}.{4 * number + 2}"
        ip("netns", "add", namespace)
        stack.callback(ip, "netns", "delete", namespace)
        ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        ip("address", "add", f"{here}/30", "dev", link)
        ip("link", "set", link, "up")
        inside = ("-n", namespace)
        ip(*inside, "address", "add", f"{there}/30", "dev", "eth0")
        ip(*inside, "link", "set", "lo", "up")
        ip(*inside, "link", "set", "eth0", "up")
        ip(*inside, "route", "add", "default", "via", here)
        env = _env_of(
            office,
            folder / name,
            RESTMON_API_HOST=there,
            RESTMON_API_PORT=str(PORT_API),
            RESTMON_DASHBOARD_HOST=there,
            RESTMON_DASHBOARD_PORT=str(PORT_DASHBOARD),
        )
        machines[name] = Machine(name, folder / name, there, env, namespace, link)
        stack.callback(machines[name].stop_all)
    return Site(office, machines)


def _with_proxies(stack: ExitStack, folder: Path, names: list[str]) -> Site:
    server: Cluster = stack.enter_context(cluster(postgres_programs(), free_port()))
    url = server.create("restmon")
    office = _office(folder, url)
    machines = {}
    for name in names:
        between = stack.enter_context(proxy(server.port))
        parts = urlsplit(url)
        through = urlunsplit(parts._replace(netloc=f"restmon@127.0.0.1:{between.port}"))
        env = _env_of(
            office,
            folder / name,
            RESTMON_DATABASE_URL=through,
            RESTMON_API_PORT=str(free_port()),
            RESTMON_DASHBOARD_PORT=str(free_port()),
        )
        machines[name] = Machine(name, folder / name, "127.0.0.1", env, proxy=between)
        stack.callback(machines[name].stop_all)
    return Site(office, machines)
