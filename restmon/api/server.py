"""The API's process: runs Waitress, logs one line for every request, and stops in order."""

import json
import logging
import signal
import tempfile
import time
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from waitress import create_server

from jobs import outages
from jobs.queue import huey
from restmon import logs
from restmon.access import exposure
from restmon.access.forwarded import is_of
from restmon.access.roles import NOBODY
from restmon.api import answers, compat
from restmon.api.guard import refusals, write_refusals
from restmon.api.import_answers import stopping
from restmon.api.requests import ACTOR
from restmon.api.work_queue import queue_depth
from restmon.errors import exit_on_error
from restmon.logs import event
from restmon.notify import health as notify_health
from restmon.notify import secrets
from restmon.ops import metrics, processes, taking_over, watchdog
from restmon.settings import get_settings
from restmon.storage import database

log = logging.getLogger("restmon.api")

THREADS = 16
MB = 2**20
LARGEST_ANSWER = 2**31
ALIVE = "/livez"
"""Answers as long as the process works, whatever state the database is in (see /healthz)."""
EVERYWHERE = [("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY")]
"""Headers of every answer."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def logged(app: Application) -> Application:
    """Wrap an application, so that each of its requests is logged, counted and answered.

    Parameters
    ----------
    app
        A WSGI application. What it raises is answered with status 500.

    Returns
    -------
    Application
        A WSGI application that also answers ``ALIVE``.
    """

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        begin = time.perf_counter()
        method, path = environ["REQUEST_METHOD"], quote(environ["PATH_INFO"].encode("latin1"))
        if path == ALIVE:  # neither logged nor counted: the process asks itself every few seconds
            start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
            return [] if method == "HEAD" else [b"ok"]
        status = ""

        def start(line: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            nonlocal status
            status = line
            return start_response(line, [*headers, *EVERYWHERE], *more)

        try:
            content = app(environ, start)
        except Exception:
            log.exception("%s %s failed", method, path)
            body = json.dumps(answers.error_body(*answers.INTERNAL_ERROR)).encode()
            headers = [("Content-Type", answers.JSON_TYPE), ("Content-Length", str(len(body)))]
            start("500 Internal Server Error", headers)
            content = [] if method == "HEAD" else [body]
        seconds = time.perf_counter() - begin
        rule = getattr(environ.get("bottle.route"), "rule", None)
        metrics.count_request(method, rule, status[:3], seconds)
        found = environ.get(ACTOR, NOBODY)
        actor = None if found == NOBODY else found.name
        event(
            log,
            "request",
            method=method,
            path=path,
            status=int(status[:3]),
            seconds=seconds,
            actor=actor,
        )
        return content

    return serve


def count_refusal(status: int, text: str) -> bytes:
    """Log and count a request that Waitress refuses; returns the body of its answer."""
    metrics.count_request("other", None, str(status), 0.0)
    event(log, "unreadable_request", status=status)
    return answers.transport_error(status, text)


def stop(*_: object) -> None:
    """Signal handler: answer the waiting requests, then stop the server."""
    stopping.set()
    raise SystemExit(0)


def run(serve: Application) -> None:
    """Serve until SIGTERM or SIGINT. If it cannot start, ends the process with status 2 and one
    sentence."""
    with exit_on_error(), database.explain_errors():
        _run(serve)


def _run(serve: Application) -> None:
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    settings = get_settings()
    logs.configure(settings)
    outages.install()
    processes.check_port(settings.api_host, settings.api_port, "API", "RESTMON_API_PORT")
    processes.check_folder(settings.spool_dir)
    database.configure(settings, serves=True)
    taking_over.take_over()
    secrets.warn_of_key()
    exposure.check_api(settings)
    huey.connect(settings)
    metrics.watch(queue_depth, notify_health.collect)
    # Uploads go through temporary files: on the disk of the data, not in a /tmp that is memory.
    tempfile.tempdir = str(settings.spool_dir)
    trusted = settings.trusted_networks
    compat.install(count_refusal, lambda address: is_of(address, trusted))
    channels: dict[int, Any] = {}
    server = create_server(
        serve,
        channels,
        host=settings.api_host,
        port=settings.api_port,
        threads=THREADS,
        max_request_body_size=settings.max_upload_mb * MB,
        recv_bytes=256 * 1024,
        connection_limit=2 * compat.MOST_CONNECTIONS,  # `compat` ends the idle ones before that
        asyncore_use_poll=True,  # select() stops at 1,024 files
        outbuf_overflow=LARGEST_ANSWER,  # answers stay in memory, which a full disk leaves alone
        clear_untrusted_proxy_headers=False,  # they show a proxy, and the links' host
        channel_request_lookahead=1,  # without it a client that hung up is not noticed
        ident="restmon",
    )
    own = watchdog.own_url(settings.api_host, settings.api_port, ALIVE)
    watchdog.start(lambda: watchdog.answers(own))
    print(f"API ready at {settings.api_url}", flush=True)  # noqa: T201
    server.run()
    write_refusals(refusals.due(all_of_them=True))
    compat.send_rest(channels)
