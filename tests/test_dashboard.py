"""The dashboard's pages in every state, through Streamlit's AppTest: what a user sees."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from restmon import database, editing, groups, heartbeats, imports, leases, models, reports
from restmon.models import now
from tests.conftest import HOURS_HEADER, POLLS_HEADER, ROOT, ZONES_HEADER, Workspace

PAGES = ("overview", "stores", "store", "upload", "reports", "settings", "help")
OF_DATA = ("overview", "stores", "store", "reports", "settings")
TITLES = {
    "overview": "Overview",
    "stores": "Stores",
    "store": "Store",
    "upload": "Upload",
    "reports": "Reports",
    "settings": "Settings",
    "help": "What the numbers mean",
}
# Open Monday to Sunday 09:00–17:00 in Chicago (UTC-6 in January); 25 January 2023 is a Wednesday.
HOURS = "".join(f"a,{day},09:00,17:00\n" for day in range(7))
POLLS = (
    "a,active,2023-01-24 16:00:00 UTC\n"
    "a,inactive,2023-01-24 18:00:00 UTC\n"
    "a,active,2023-01-24 20:00:00 UTC\n"
    "a,active,2023-01-25 16:00:00 UTC\n"
    "b,active,2023-01-25 17:00:00 UTC\n"
    "b,inactive,2023-01-25 18:00:00 UTC\n"
    "c:1,active,2023-01-25 18:00:00 UTC\n"
)
ZONES = "a,America/Chicago\nb,America/New_York\nidle,Asia/Kolkata\n"


def page(name: str = "overview", **query: str) -> AppTest:
    """A new session's first look at a page."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if name != "overview":
        # The pages are known to AppTest only after a first run.
        at._page_hash = _hash_of(name)
    at.query_params.update(query)
    return well(at.run())


def _hash_of(name: str) -> str:
    from streamlit.util import calc_hash

    return calc_hash(name)


def well(at: AppTest) -> AppTest:
    """The page, after making sure that nothing was raised."""
    assert not at.exception, [e.value for e in at.exception]
    return at


def seen(at: AppTest) -> str:
    """All that a user can read on the page, as text."""
    parts = [
        *at.title.values,
        *at.subheader.values,
        *at.markdown.values,
        *at.caption.values,
        *at.code.values,
        *(alert.value for kind in (at.error, at.warning, at.info, at.success) for alert in kind),
        *(f"{m.label}: {m.value} {m.delta}" for m in at.metric),
        *(p.text for p in at.progress),
        *(link.value for link in at.page_link),
        *(b.label for b in at.button),
        *(b.label for b in at.download_button),
        *(e.label for e in at.expander),
        *(table.value.to_csv(index=False) for table in at.dataframe),
    ]
    return re.sub(r"\\([^\w\s])", r"\1", "\n".join(map(str, parts)))


def metrics(at: AppTest) -> dict[str, str]:
    return {m.label: m.value for m in at.metric}


def table(at: AppTest, key: str) -> Any:
    """The table whose key begins so."""
    (found,) = [t for t in at.dataframe if (t.key or "").startswith(key)]
    return found.value


def figures(at: AppTest) -> list[dict[str, Any]]:
    import json

    return [json.loads(chart.proto.spec) for chart in at.get("plotly_chart")]


@pytest.fixture
def stores(workspace: Workspace) -> Workspace:
    """Four stores: ``a`` with hours and zone, ``b`` with a zone, ``c:1`` with neither, ``idle``
    never polled."""
    workspace.import_now(POLLS, HOURS, ZONES)
    return workspace


@pytest.fixture
def demo(workspace: Workspace) -> Workspace:
    assert imports.load_demo()
    reports.work(reports.request(requested_by="dashboard").id)
    return workspace


# Nothing there yet


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_database_says_what_to_do_next(workspace: Workspace, name: str):
    at = page(name)
    assert TITLES[name] in at.title.values
    text = seen(at)
    if name in OF_DATA:
        assert "Upload three CSV files to begin" in text
        assert "Upload files" in at.page_link.values
    elif name == "upload":
        assert "No import yet" in text
        assert at.file_uploader[0].allowed_type == [".csv", ".gz"]
    else:
        assert "Upload your files" in at.page_link.values
    assert "Demo data" not in text
