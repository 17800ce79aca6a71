"""What surrounds every page."""

from typing import Any

from restmon.dashboard.connections import open_connections
from restmon.dashboard.identity import current_actor
from restmon.dashboard.messages import stop_on_error
from restmon.dashboard.notices import show_demo_banner, show_future_polls
from restmon.dashboard.widgets import apply_style
from restmon.storage import database


def run_page(page: Any) -> None:
    """Show a page in its frame. An error is shown as one sentence, never as a traceback."""
    with stop_on_error():
        apply_style()
        with open_connections(), database.session():
            show_demo_banner(current_actor())
            show_future_polls(current_actor())
            page.run()
