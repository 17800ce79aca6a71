"""The guard in front of every route: who may use it, with which values, and its errors."""

import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from typing import Any

import bottle

from restmon.access import api_keys, exposure
from restmon.access.exposure import is_loopback
from restmon.access.forwarded import host_name
from restmon.access.roles import NOBODY, THIS_MACHINE, Actor, Role
from restmon.api.answers import refusal
from restmon.api.limits import RefusalCounter, Refusals, RequestRates
from restmon.api.operations import Operation
from restmon.api.requests import ACTOR, body_values, client, header, query_values
from restmon.errors import Forbidden, NotLoggedIn, RestmonError
from restmon.settings import get_settings
from restmon.storage import database

MAKE_A_KEY = (
    "Send Authorization: Bearer THE_KEY; an operator makes one: python -m restmon keys make NAME."
)
NO_BEARER = "The Authorization header holds no bearer key."

rates = RequestRates(time.monotonic)
refusals = RefusalCounter(time.time)


class Guard:
    """A Bottle plugin that runs a route's function only for actors who may use it, with checked
    values.

    A route's options are ``needs``, the role it requires (default: operator; None: open to all),
    and ``operation``, what it takes and gives. An error becomes JSON with its status.
    """

    api = 2

    def apply(self, callback: Callable[..., Any], route: bottle.Route) -> Callable[..., Any]:
        """Return the route's function, guarded."""
        needs = route.config.get("needs", Role.OPERATOR)
        operation: Operation = route.config["operation"]

        def run(**in_path: str) -> Any:
            # The calls of a feed are many and small: one connection each is enough.
            connection = database.session() if operation.takes_items else nullcontext()
            try:
                with database.explain_errors(), connection:
                    bottle.request.environ[ACTOR] = admit(needs)
                    if operation.takes is None:
                        return callback()
                    values = query_values()
                    if not operation.takes_files:
                        values |= body_values()
                    return callback(operation.takes.read(values | in_path))
            except RestmonError as error:
                if isinstance(error, NotLoggedIn):
                    write_refusals(refusals.count(client().address))
                return refusal(error)

        return run


def admit(needs: Role | None) -> Actor:
    """Find the actor of the request.

    A key that is sent must be valid. Without a key, a person at this machine may do everything as
    long as there is neither a key nor an account. But a request without a key is refused if it
    comes through a proxy, or if a page of another site sent it, from that site's address or under a
    name that it let point to this machine.

    Parameters
    ----------
    needs
        The role that the route requires. None: the route is open to all.

    Returns
    -------
    Actor
        The actor.

    Raises
    ------
    NotLoggedIn
        If a key is required, or the key is not valid.
    Forbidden
        If the key's role, or the site that sent the request, does not allow this.
    TooManyRequests
        If the key was used too often.
    """
    if needs is None:
        return NOBODY
    scheme, _, key = header("Authorization").strip().partition(" ")
    if scheme:
        if scheme.lower() != "bearer":
            raise NotLoggedIn(NO_BEARER, "Send Authorization: Bearer THE_KEY.")
        found = api_keys.check(key.strip())
        rates.take(found.name, get_settings().requests_per_minute)
        found.must(needs)
        return found
    if exposure.api_requires_key(get_settings()):
        raise NotLoggedIn("An API key is needed.", MAKE_A_KEY)
    own = header("Host", "127.0.0.1")
    sender = header("Origin", f"http://{own}")
    site = header("Sec-Fetch-Site", "none")
    if sender.partition("://")[2] != own or site not in {"none", "same-origin"}:
        raise Forbidden("A page of another site sent this request.", "Send an API key with it.")
    name = host_name(own)
    if not is_loopback(name):
        raise Forbidden(
            f"Without an API key this API does not answer to the name {name[:60]!r}.",
            "Ask at 127.0.0.1 or localhost, or send Authorization: Bearer THE_KEY.",
        )
    if not client().at_this_machine:
        raise NotLoggedIn(
            "From another machine, or through a proxy, an API key is needed.", MAKE_A_KEY
        )
    return THIS_MACHINE


def write_refusals(found: list[Refusals]) -> None:
    """Write into the audit that requests were refused.

    If the database does not answer, nothing is written, and the requests are refused all the same.
    """
    for one in found:
        with suppress(RestmonError), database.explain_errors():
            api_keys.note_refused(one.count, datetime.fromtimestamp(one.begin, UTC), one.address)
