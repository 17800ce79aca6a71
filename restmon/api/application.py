"""The application with guarded routes."""

import bottle

from restmon.api.answers import routing_error
from restmon.api.guard import Guard


class Application(bottle.Bottle):
    """Bottle's application with the guard, whose errors are JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.config["catchall"] = False  # `restmon.api.server` answers the rest
        self.install(Guard())

    def default_error_handler(self, error: bottle.HTTPError) -> str:
        """Return the body of an error of Bottle's own."""
        return routing_error(error)
