"""The form to which a link for a password leads (`restmon.access.password_links`)."""

from collections.abc import Iterable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from restmon.access import password_links
from restmon.access.password_links import PATH
from restmon.dashboard.auth_middleware import HEADERS, LOGIN, is_short
from restmon.dashboard.connections import open_connections
from restmon.dashboard.login_page import password_page
from restmon.errors import BadRequest, NotFound, RestmonError

STATUSES: dict[type[RestmonError], int] = {NotFound: 404, BadRequest: 422}


def show(token: str, problem: RestmonError | None = None) -> Response:
    """The form, or why there is none."""
    try:
        with open_connections():
            email = password_links.find_email(token)
    except RestmonError as error:
        email, problem = "", error
    status = 200 if problem is None else STATUSES.get(type(problem), 503)
    page = password_page(PATH, LOGIN, token, email, "" if problem is None else str(problem))
    return HTMLResponse(page, status, HEADERS)


def use(token: str, password: str, again: str, address: str) -> Response:
    """Set the password and go to the login, or show the form again."""
    try:
        if password != again:
            raise BadRequest("The two passwords differ.", "Write the same one twice.")
        with open_connections():
            password_links.use_link(token, password, address)
    except RestmonError as error:
        return show(token, error)
    return RedirectResponse(f"{LOGIN}?done=set", 303, HEADERS)


async def ask(request: Request) -> Response:
    """GET /set-password: the form."""
    return await run_in_threadpool(show, request.query_params.get("token", ""))


async def set_password(request: Request) -> Response:
    """POST /set-password: set the password."""
    if not is_short(request):
        return PlainTextResponse("The form is too large.", 413, HEADERS)
    form = await request.form(max_files=0, max_fields=10)
    token, password, again = (str(form.get(name, "")) for name in ("token", "password", "again"))
    address = request.client.host if request.client else ""
    return await run_in_threadpool(use, token, password, again, address)


def routes() -> Iterable[Route]:
    """The routes of the form."""
    return [Route(PATH, ask, methods=["GET"]), Route(PATH, set_password, methods=["POST"])]
