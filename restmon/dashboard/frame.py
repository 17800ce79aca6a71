"""What surrounds every page."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

from restmon.dashboard.connections import open_connections
from restmon.dashboard.identity import current_actor, one_visitor
from restmon.dashboard.messages import stop_on_error
from restmon.dashboard.notices import show_demo_banner, show_future_polls
from restmon.dashboard.turns import take_turn
from restmon.dashboard.widgets import apply_style
from restmon.errors import RestmonError
from restmon.storage import database


def run(choose_page: Callable[[], Any]) -> None:
    """Show the menu and the chosen page in its frame. An error is shown as one sentence, never as a
    traceback. The menu comes first, also where the database cannot be read."""
    with take_turn(), one_visitor(), ExitStack() as stack:
        with suppress(RestmonError), open_connections():  # the page shows the error
            stack.enter_context(database.session())
        page = choose_page()
        with stop_on_error():
            apply_style()
            with open_connections(), database.session():
                show_demo_banner(current_actor())
                show_future_polls(current_actor())
                page.run()
