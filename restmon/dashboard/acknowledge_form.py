"""The page to which the acknowledgement link of an alert leads (`notify.acknowledgements`)."""

from collections.abc import Iterable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from restmon.dashboard.auth_middleware import HEADERS, is_short
from restmon.dashboard.connections import open_connections
from restmon.dashboard.login_page import acknowledge_page
from restmon.errors import NotFound, RestmonError
from restmon.notify import acknowledgements
from restmon.notify.acknowledgements import PATH


def answer(token: str, *, acknowledge: bool, address: str = "") -> Response:
    """The page, after acknowledging the alert if asked."""
    try:
        with open_connections():
            if acknowledge:
                found = acknowledgements.acknowledge(token, address)
            else:
                found = acknowledgements.find_alert(token)
    except RestmonError as error:
        status = 404 if isinstance(error, NotFound) else 503
        return HTMLResponse(acknowledge_page(PATH, "", "", str(error)), status, HEADERS)
    done = found.acknowledged_at is not None
    return HTMLResponse(acknowledge_page(PATH, token, found.title, done=done), 200, HEADERS)


async def ask(request: Request) -> Response:
    """GET /acknowledge: the button. Looking at the page acknowledges nothing."""
    token = request.query_params.get("token", "")
    return await run_in_threadpool(answer, token, acknowledge=False)


async def confirm(request: Request) -> Response:
    """POST /acknowledge: acknowledge the alert."""
    if not is_short(request):
        return PlainTextResponse("The form is too large.", 413, HEADERS)
    form = await request.form(max_files=0, max_fields=10)
    address = request.client.host if request.client else ""
    token = str(form.get("token", ""))
    return await run_in_threadpool(answer, token, acknowledge=True, address=address)


def routes() -> Iterable[Route]:
    """The routes of the page."""
    return [Route(PATH, ask, methods=["GET"]), Route(PATH, confirm, methods=["POST"])]
