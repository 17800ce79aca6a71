"""The REST front door: Bottle routes, each a few lines over restmon and the queue."""

import html
import json
import logging
import re
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

import bottle
from waitress import create_server, wasyncore
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask

from jobs import tasks
from jobs.queue import huey
from restmon import (
    api_keys,
    database,
    heartbeats,
    imports,
    logs,
    metrics,
    openapi,
    overview,
    processes,
    reports,
)
from restmon.csv_reader import COLUMNS
from restmon.errors import (
    BadRequest,
    DatabaseUnavailable,
    FileRejected,
    Forbidden,
    NoPolls,
    NotFound,
    NotLoggedIn,
    RestmonError,
    told_at_the_end,
)
from restmon.ingest import SourceFile
from restmon.logs import event
from restmon.loopback import OF_PROXIES, is_loopback
from restmon.models import COMPLETE, FAILED, RUNNING, Import, Report
from restmon.roles import THIS_MACHINE, Actor, Role
from restmon.settings import get_settings

log = logging.getLogger("restmon.api")
THREADS = 16
LONGEST_WAIT_SECONDS = 600
MB = 2**20
LARGEST_FORM = 1024 * 1024
EVERYWHERE = [("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY")]
JSON_TYPE = "application/json; charset=utf-8"
NO_WORKER = "No worker is alive; start one: python -m restmon worker"
STATUSES: list[tuple[type[RestmonError], int]] = [
    (NotFound, 404),
    (BadRequest, 400),
    (NotLoggedIn, 401),
    (Forbidden, 403),
    (NoPolls, 409),
    (FileRejected, 422),
    (DatabaseUnavailable, 503),
]
UNFORESEEN = (500, "internal_error", "The server could not answer.", "Its log says why.")
TOO_LARGE = (413, "too_large", "The request is too large.", "Send files as multipart form data.")
BEYOND_LIMIT = (
    413,
    "too_large",
    "The request is larger than {:,} MB.",
    "Send files gzipped or in parts, import them by the command line, or raise "
    "RESTMON_MAX_UPLOAD_MB.",
)
NO_BEARER = "The Authorization header holds no bearer key."
TOO_LONG = (431, "too_long", "The address or a header of the request is too long.", "Shorten it.")

app = bottle.Bottle()
app.config["catchall"] = False  # `serve` catches what is left
bottle.BaseRequest.MEMFILE_MAX = LARGEST_FORM
ACTOR = "restmon.actor"
NOBODY = Actor("nobody", Role.VIEWER, frozenset())
waiters = threading.BoundedSemaphore(THREADS // 2)
stopping = threading.Event()


def answer(content: dict[str, Any], status: int = 200, **headers: str) -> bottle.HTTPResponse:
    """A JSON answer that no cache keeps."""
    headers |= {"Content-Type": JSON_TYPE, "Cache-Control": "no-store"}
    return bottle.HTTPResponse(json.dumps(content), status, headers)


def error_object(code: str, message: str, hint: str = "") -> dict[str, Any]:
    """What every error's answer has in its body."""
    return {"error": {"code": code, "message": message, "hint": hint}}


def problem(
    status: int, code: str, message: str, hint: str = "", **headers: str
) -> bottle.HTTPResponse:
    """An error's answer."""
    return answer(error_object(code, message, hint), status, **headers)


class Guard:
    """Bottle plugin: admits only who may use a route (its ``needs``: an operator unless told
    otherwise, None: anybody), and what went wrong becomes JSON with the fitting status."""

    api = 2

    def apply(self, callback: Callable[..., Any], route: bottle.Route) -> Callable[..., Any]:
        """The route's function, guarded."""
        needs = route.config.get("needs", Role.OPERATOR)

        def run(*args: Any, **kwargs: Any) -> Any:
            try:
                with database.explained():
                    bottle.request.environ[ACTOR] = admit(needs)
                    return callback(*args, **kwargs)
            except RestmonError as error:
                status = next((s for kind, s in STATUSES if isinstance(error, kind)), 500)
                headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
                return problem(status, error.code, error.message, error.hint, **headers)

        return run


app.install(Guard())


def header(name: str, default: str = "") -> str:
    """A header of the request, its bytes as Latin-1: Bottle's own way fails where they are not
    UTF-8."""
    return str(bottle.request.environ.get(f"HTTP_{name.upper().replace('-', '_')}", default))


def admit(needs: Role | None) -> Actor:
    """Who asks; raises NotLoggedIn or Forbidden unless they may use a route that needs the role.

    A key that is sent must be good. Without one, a person at this machine may do everything, but
    not a page of another site that sends that person's browser here: neither from its own address
    nor under a name that it has let point to this machine; nor whoever comes through a proxy.
    """
    if needs is None:
        return NOBODY
    scheme, _, key = header("Authorization").strip().partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise NotLoggedIn(NO_BEARER, "Send Authorization: Bearer THE_KEY.")
        found = api_keys.check(key.strip())
        found.must(needs)
        return found
    if api_keys.needed(get_settings()):
        raise NotLoggedIn("An API key is needed.", "Send Authorization: Bearer THE_KEY.")
    own = header("Host", "127.0.0.1")
    sender = header("Origin", f"http://{own}")
    site = header("Sec-Fetch-Site", "none")
    if sender.partition("://")[2] != own or site not in {"none", "same-origin"}:
        raise Forbidden("A page of another site sent this request.", "Send an API key with it.")
    name = own.rsplit(":", 1)[0] if re.search(r":\d*$", own) else own
    if not is_loopback(name):
        raise Forbidden(
            f"Without an API key this API does not answer to the name {name[:60]!r}.",
            "Ask at 127.0.0.1 or localhost, or send Authorization: Bearer THE_KEY.",
        )
    if any(header(name) for name in OF_PROXIES):
        raise NotLoggedIn(
            "Through a proxy an API key is needed.", "Send Authorization: Bearer THE_KEY."
        )
    return THIS_MACHINE


def actor() -> Actor:
    """Who asks, as the guard found."""
    found: Actor = bottle.request.environ[ACTOR]
    return found


def plain_error(error: bottle.HTTPError) -> str:
    """Bottle's own errors, as JSON."""
    path = bottle.request.path[:80]
    said = {
        404: ("not_found", f"There is nothing at {path}.", "See /openapi.json."),
        405: (
            "method_not_allowed",
            f"{bottle.request.method} is not allowed at {path}.",
            f"Use {error.headers.get('Allow', 'another method')}.",
        ),
        413: TOO_LARGE[1:],
        500: UNFORESEEN[1:],
    }
    unreadable = ("bad_request", "The request cannot be read.", "See /openapi.json.")
    bottle.response.content_type = JSON_TYPE
    bottle.response.set_header("Cache-Control", "no-store")
    return json.dumps(error_object(*said.get(error.status_code, unreadable)))


app.default_error_handler = plain_error


def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The WSGI application: Bottle's, with one line of the log for every request."""
    begin = time.perf_counter()
    method, path = environ["REQUEST_METHOD"], quote(environ["PATH_INFO"].encode("latin1"))
    status = ""

    def start(line: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        nonlocal status
        status = line
        return start_response(line, [*headers, *EVERYWHERE], *more)

    try:
        content = app(environ, start)
    except Exception:
        log.exception("%s %s failed", method, path)
        body = json.dumps(error_object(*UNFORESEEN[1:])).encode()
        headers = [("Content-Type", JSON_TYPE), ("Content-Length", str(len(body)))]
        start("500 Internal Server Error", headers)
        content = [] if method == "HEAD" else [body]
    seconds = time.perf_counter() - begin
    rule = getattr(environ.get("bottle.route"), "rule", None)
    metrics.count_request(method, rule, status[:3], seconds)
    found = environ.get(ACTOR, NOBODY)
    who = None if found == NOBODY else found.name
    event(
        log, "request", method=method, path=path, status=int(status[:3]), seconds=seconds, actor=who
    )
    return content


def beyond_limit() -> tuple[int, str, str, str]:
    """What is answered to a request larger than the settings allow."""
    status, code, message, hint = BEYOND_LIMIT
    return status, code, message.format(get_settings().max_upload_mb), hint


class JsonErrorTask(ErrorTask):
    """Waitress's answer to a request that never reaches the application, as JSON."""

    def execute(self) -> None:
        """Write the answer."""
        error = self.request.error
        said = {s[0]: s[1:] for s in (beyond_limit(), TOO_LONG, UNFORESEEN)}.get(
            error.code,
            ("bad_request", f"The request is not proper HTTP: {error.body}.", "Mend the client."),
        )
        body = json.dumps(error_object(*said)).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers.append(("Content-Type", JSON_TYPE))
        self.content_length = len(body)
        self.set_close_on_finish()
        self.write(body)
        metrics.count_request("other", None, str(error.code), 0.0)
        event(log, "unreadable_request", status=error.code)


def parameters() -> dict[str, str]:
    """The values of query and form or JSON body, those of the body winning."""
    request = bottle.request
    if request.content_length > LARGEST_FORM:
        raise bottle.HTTPError(413)
    try:
        values = dict(request.query.decode())
    except UnicodeError:
        raise BadRequest("The query is not UTF-8 text.", "Percent-encode it as UTF-8.") from None
    try:
        if request.content_type.startswith("multipart/"):
            values |= request.forms.decode()
        elif text := request.body.read().strip():
            # curl -d says "form" of whatever it sends, so JSON is also known by its look.
            if "json" in request.content_type or text.startswith(b"{"):
                values |= {k: str(v) for k, v in json.loads(text).items() if v is not None}
            else:
                values |= request.forms.decode()
        for value in values.values():
            value.encode()
    except (bottle.HTTPError, ValueError, LookupError, AttributeError, RecursionError):
        raise BadRequest(
            "The body of the request is neither a JSON object nor a form.",
            'Send {"name": "value"} as application/json, or name=value.',
        ) from None
    return values


def queue_depth() -> int:
    """How many tasks wait; raises DatabaseUnavailable when the queue does not answer."""
    try:
        return int(huey.pending_count())
    except Exception as error:
        log.warning("the queue does not answer: %s", error)
        raise DatabaseUnavailable(
            "The queue does not answer.", "Start its server or correct RESTMON_QUEUE_URL."
        ) from None


@app.route("/trigger_report", ["GET", "POST"], needs=Role.OWNER)
def trigger_report() -> bottle.HTTPResponse:
    """Ask for a report."""
    if bottle.request.method == "HEAD":  # Bottle would treat it as GET, and it asks for nothing
        raise bottle.HTTPError(405, Allow="GET,POST")
    given = parameters()
    as_of = given.get("as_of")
    queue_depth()  # so that nothing is put on record that would not be enqueued
    report = tasks.enqueue_report(
        as_of=reports.parse_as_of(as_of) if as_of else None,
        method=reports.check_method(given.get("method") or reports.NEAREST),
        requested_by="api",
        actor=actor(),
    )
    status_url = f"{origin()}/get_report?report_id={report.id}"
    return answer({"report_id": report.id, "status": RUNNING, "status_url": status_url}, 202)


@app.route("/get_report", ["GET", "POST"], needs=Role.VIEWER)
@app.route("/get_report/<report_id>", needs=Role.VIEWER)
def get_report(report_id: str = "") -> bottle.HTTPResponse:
    """A report's state, with its CSV when it is complete."""
    given = parameters()
    report_id = report_id or given.get("report_id", "")
    if not report_id:
        raise BadRequest("The report_id is missing.", "Add ?report_id=… from /trigger_report.")
    report = reports.get(report_id, actor())
    form = given.get("format") or ("csv" if wants_csv() else "json")
    if form not in openapi.FORMATS:
        raise BadRequest(
            f"format={form[:40]!r} is not known.", f"Use {' or '.join(openapi.FORMATS)}."
        )
    if form == "csv":
        return report_file(report)
    state = reports.status_of(report)
    if report.status == COMPLETE:
        state |= {
            "stores": report.stores,
            "csv_url": f"{origin()}/get_report?report_id={report.id}&format=csv",
        }
        if form != "status":
            state["csv"] = reports.read_csv(report).decode()
    elif report.status == FAILED:
        state["error"] = report.error
    return answer(state)


def wants_csv() -> bool:
    """Whether the Accept header names text/csv and likes JSON no better."""
    liked: dict[str, float] = {}
    for choice in header("Accept").lower().replace(" ", "").split(","):
        kind, *options = choice.split(";")
        weight = next((o[2:] for o in options if o.startswith("q=")), "1")
        try:
            liked[kind] = float(weight)
        except ValueError:
            liked[kind] = 0.0
    return liked.get("text/csv", 0.0) > 0 and liked["text/csv"] >= liked.get("application/json", 0)


def report_file(report: Report) -> bottle.HTTPResponse:
    """The CSV of a report, or how far it is, as text."""
    if report.status == FAILED:
        said = ("report_failed", str(report.error), "Trigger a new report.")
        return problem(409, *said, **{"X-Report-Status": FAILED})
    headers = {"X-Report-Status": report.status, "Cache-Control": "no-store"}
    if report.status == RUNNING:
        headers["Content-Type"] = "text/plain; charset=utf-8"
        return bottle.HTTPResponse(RUNNING, 202, headers)
    headers["Content-Type"] = "text/csv; charset=utf-8"
    headers["Content-Disposition"] = f'attachment; filename="restmon-{report.id}.csv"'
    return bottle.HTTPResponse(reports.read_csv(report), 200, headers)


@app.post("/import_data", needs=Role.OWNER)
def import_data() -> bottle.HTTPResponse:
    """Import uploaded files, or those of the import folder."""
    wait = bottle.request.query.get("wait", "").lower()
    if wait not in openapi.YES + openapi.NO:
        raise BadRequest(f"wait={wait[:40]!r} is not known.", "Use true or false.")
    queue_depth()  # so that nothing is put on record that would not be enqueued
    uploads = spooled_uploads()
    try:
        files = uploads or folder_files()
        row = tasks.enqueue_import(files, "api", actor())
    except Exception:
        imports.forget(uploads)
        raise
    return waited_for(row) if wait in openapi.YES else answer(accepted(row), 202)


def folder_files() -> list[SourceFile]:
    """The files of the import folder, which is the operator's."""
    actor().must(Role.OPERATOR)
    return imports.files_in(get_settings().effective_import_dir)


def accepted(row: Import) -> dict[str, Any]:
    """Where to ask for an import that is under way."""
    status_url = f"{origin()}/import_data?import_id={row.id}"
    return {"import_id": row.id, "status": row.status, "status_url": status_url}


def spooled_uploads() -> list[SourceFile]:
    """The files of a multipart body, copied to the spool folder; all of them or none."""
    request = bottle.request
    if not request.content_type.startswith("multipart/"):
        if request.content_length > 0:
            raise BadRequest(
                "The body is not multipart form data.",
                "Send files as curl -F polls=@polls.csv does, or no body at all.",
            )
        return []
    fields = f"Send files in the fields {', '.join(COLUMNS)}, as curl -F polls=@polls.csv does."
    files: list[SourceFile] = []
    try:
        for part in parts(request):
            if part.name not in COLUMNS:
                known = (
                    "a field without a name" if not part.name else f"the field {part.name[:40]!r}"
                )
                raise BadRequest(f"The form has {known}.", fields)
            if part.filename is None:
                raise BadRequest(f"The field {part.name!r} is text, not a file.", fields)
            if part.filename or part.size:  # else: a form's file field that was left empty
                files.append(imports.spool(part.file, part.name, part.filename))
            part.close()
    except Exception:
        imports.forget(files)
        raise
    if not files:
        raise BadRequest("The form has no file.", fields)
    return files


def parts(request: bottle.BaseRequest) -> Iterator[Any]:
    """The parts of a multipart body, one at a time, large ones in temporary files.

    Bottle's ``request.files`` copies the whole body once more, keeps up to 1 MB of each part in
    memory where it allows 1 MB for all, and stops at 1 GB.
    """
    try:
        # Not request.content_type: that is in lower case, and boundaries are not.
        content_type = request.get_header("Content-Type")
        boundary = bottle._parse_http_header(content_type)[0][1].get("boundary")
        parser = bottle._MultipartParser(
            request.environ["wsgi.input"],
            boundary,
            request.content_length,
            disk_limit=get_settings().max_upload_mb * MB,
            mem_limit=64 * 1024 * 1024,
            memfile_limit=64 * 1024,
            buffer_size=1024 * 1024,
            charset="utf8",
        )
        yield from parser.parse()
    except (bottle.HTTPError, ValueError, IndexError):
        raise BadRequest(
            "The multipart form is damaged or cut off.",
            "Send files as curl -F polls=@polls.csv does.",
        ) from None
    except OSError as error:
        raise imports.not_kept(error) from error


def waited_for(row: Import) -> bottle.HTTPResponse:
    """The import's final state; or where it stands when waiting makes no sense."""
    note = "Too many requests wait already; ask at status_url."
    client_gone = bottle.request.environ["waitress.client_disconnected"]
    if waiters.acquire(blocking=False):
        try:
            note = "It still runs; ask at status_url."
            end = time.monotonic() + LONGEST_WAIT_SECONDS
            while row.status == RUNNING and time.monotonic() < end and not client_gone():
                if not heartbeats.worker_alive():
                    note = NO_WORKER
                    break
                if stopping.wait(0.1):
                    break
                row = imports.get(row.id)
        finally:
            waiters.release()
    if row.status == RUNNING:
        return answer(accepted(row) | {"note": note}, 202)
    if row.status == COMPLETE:
        return answer(import_state(row))
    state = import_state(row)
    code = state["error_code"]
    status = 422 if code == FileRejected.code else 500
    return answer(state | error_object(code, str(row.error)), status)


def import_state(row: Import) -> dict[str, Any]:
    """An import's state with its first rejected lines and where to get all of them."""
    state = imports.status_of(row) | {"rejections": row.rejections}
    if imports.rejected_path(row.id).exists():
        state["rejected_csv_url"] = f"{origin()}/import_data/{row.id}/rejected.csv"
    return state


@app.get("/import_data", needs=Role.VIEWER)
def get_import() -> bottle.HTTPResponse:
    """An import's state, counts and first rejected lines."""
    import_id = parameters().get("import_id", "")
    if not import_id:
        raise BadRequest("The import_id is missing.", "Add ?import_id=… from POST /import_data.")
    return answer(import_state(imports.get(import_id, actor())))


@app.get("/import_data/<import_id>/rejected.csv", needs=Role.VIEWER)
def get_rejected(import_id: str) -> bottle.HTTPResponse:
    """Every rejected line of an import."""
    path = imports.rejected_path(imports.get(import_id, actor()).id)
    if not path.exists():
        raise NotFound("No line of this import was rejected.")
    name = f"rejected-{import_id}.csv"
    return bottle.static_file(path.name, str(path.parent.resolve()), "text/csv", download=name)


@app.get("/healthz", needs=None)
def healthz() -> bottle.HTTPResponse:
    """Whether database, queue and worker are well."""
    health: dict[str, Any] = {"database": "ok", "queue": "ok", "worker": "ok"}
    try:
        with database.explained():
            facts = overview.facts()
        shown = "worker_alive worker_seen_seconds_ago newest_poll newest_poll_age_seconds"
        health |= {name: facts[name] for name in shown.split()}
        if not facts["worker_alive"]:
            health["worker"] = NO_WORKER
    except RestmonError as error:
        health["database"] = str(error)
        health["worker"] = "Not known while the database does not answer."
    try:
        health["queue_depth"] = queue_depth()
    except RestmonError as error:
        health["queue"] = str(error)
    well = all(health[part] == "ok" for part in ("database", "queue", "worker"))
    return answer({"status": "ok" if well else "failing", **health}, 200 if well else 503)


@app.get("/metrics", needs=Role.VIEWER)
def get_metrics() -> bottle.HTTPResponse:
    """What Prometheus is told."""
    if actor().groups is not None:
        raise Forbidden("The metrics are of all stores.", "It takes a key that sees every store.")
    headers = {"Content-Type": metrics.TYPE, "Cache-Control": "no-store"}
    return bottle.HTTPResponse(metrics.text(), 200, headers)


@app.get("/openapi.json", needs=None)
def openapi_json() -> bottle.HTTPResponse:
    """The API's own description."""
    return answer(openapi.document(origin()))


@app.get("/", needs=None)
def index() -> bottle.HTTPResponse:
    """A page for people."""
    page = openapi.page(html.escape(origin()))
    return bottle.HTTPResponse(page, 200, {"Content-Type": "text/html; charset=utf-8"})


def origin() -> str:
    """The address the client used."""
    return f"{bottle.request.urlparts.scheme}://{bottle.request.urlparts.netloc}"


def stop(*_: object) -> None:
    """Signal handler: requests that wait are answered, then the server ends."""
    stopping.set()
    raise SystemExit(0)


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    settings = get_settings()
    logs.configure(settings)
    processes.check_port(settings.api_host, settings.api_port, "API", "RESTMON_API_PORT")
    processes.check_folder(settings.spool_dir)
    database.configure(settings)
    api_keys.check_exposure(settings)
    huey.connect(settings)
    metrics.watch(queue_depth)
    # Uploads go through temporary files: on the disk of the data, not in a /tmp that is memory.
    tempfile.tempdir = str(settings.spool_dir)
    HTTPChannel.error_task_class = JsonErrorTask
    channels: dict[int, Any] = {}
    server = create_server(
        serve,
        channels,
        host=settings.api_host,
        port=settings.api_port,
        threads=THREADS,
        max_request_body_size=settings.max_upload_mb * MB,
        recv_bytes=256 * 1024,
        clear_untrusted_proxy_headers=False,  # they tell that there is a proxy, and the links' host
        channel_request_lookahead=1,  # without it a client that hung up is not noticed
        ident="restmon",
    )
    print(f"API ready at {settings.api_url}", flush=True)  # noqa: T201
    server.run()
    wasyncore.loop(timeout=0.1, map=channels, count=3)  # send what was answered while stopping


if __name__ == "__main__":
    with told_at_the_end():
        main()
