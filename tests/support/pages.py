"""The dashboard's pages without a browser (AppTest)."""

import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from restmon.dashboard import compat
from tests.support.environment import ROOT

POLLS = (
    "a,active,2023-01-24 16:00:00 UTC\n"
    "a,inactive,2023-01-24 18:00:00 UTC\n"
    "a,active,2023-01-24 20:00:00 UTC\n"
    "a,active,2023-01-25 16:00:00 UTC\n"
    "b,active,2023-01-25 17:00:00 UTC\n"
    "b,inactive,2023-01-25 18:00:00 UTC\n"
    "c:1,active,2023-01-25 18:00:00 UTC\n"
)


PAGES = (
    "overview",
    "stores",
    "groups",
    "store",
    "outages",
    "trend",
    "upload",
    "reports",
    "documents",
    "alerts",
    "data_check",
    "settings",
    "help",
)

OF_DATA = (
    "overview",
    "stores",
    "store",
    "outages",
    "groups",
    "trend",
    "reports",
    "documents",
    "settings",
)

UNKNOWN_ZONE = "Not known (America/Chicago is assumed)"

TITLES = {
    "overview": "Overview",
    "stores": "Stores",
    "groups": "Groups",
    "store": "Store",
    "outages": "Outages",
    "trend": "Trend",
    "upload": "Upload",
    "reports": "Reports",
    "documents": "Documents",
    "alerts": "Alerts",
    "data_check": "Data check",
    "settings": "Settings",
    "help": "What the numbers mean",
}

ZONES = "a,America/Chicago\nb,America/New_York\nidle,Asia/Kolkata\n"


class NavigationOnly(PagesManager):
    """AppTest undoes `compat.serve_navigation_only` before each run. This does it again."""

    def __init__(self, *args: Any, **options: Any) -> None:
        compat.serve_navigation_only()
        super().__init__(*args, **options)


def page(name: str = "overview", **query: Any) -> AppTest:
    """A page in a new session, by its address."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    if name != "overview":
        # AppTest.switch_page knows the pages only after a first run.
        at._page_hash = calc_hash(name)
    at.query_params.update(query)
    return well(at.run())


def well(at: AppTest) -> AppTest:
    """The page. Fails if an error was raised."""
    assert not at.exception, [e.value for e in at.exception]
    return at


def seen(at: AppTest) -> str:
    """All that a user can read on the page, as text."""
    parts = [
        *at.title.values,
        *at.header.values,
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
        *(unescape(re.sub("</?(time|span|strong)[^>]*>", "", body)) for body in html_shown(at)),
    ]
    return re.sub(r"\\([^a-zA-Z0-9\s])", r"\1", "\n".join(map(str, parts)))


def html_shown(at: AppTest) -> list[str]:
    """What the page shows in plain HTML, but styles and scripts alone."""
    bodies = [e.proto.body for e in at.get("html")]
    return [b for b in bodies if "<table" in b or not b.startswith(("<style", "<script"))]


def outages_shown(at: AppTest) -> list[dict[str, str]]:
    """The rows of the store page's table of outages, the text of each cell by its column."""
    return rows_of([body for body in html_shown(at) if "<caption>Outages, the newest" in body])


def html_rows(at: AppTest) -> list[dict[str, str]]:
    """The rows of the page's table that is plain HTML: the text of each cell by its column, and
    the address that the row opens as "href". None where there is no such table."""
    bodies = [e.proto.body for e in at.get("html") if 'class="rows"' in e.proto.body]
    return rows_of(bodies)


def table_rows(at: AppTest, caption: str) -> list[dict[str, str]]:
    """The rows of the table of plain HTML whose caption begins so, as `html_rows` gives them."""
    return rows_of([body for body in html_shown(at) if f"<caption>{caption}" in body])


def rows_of(bodies: list[str]) -> list[dict[str, str]]:
    """The rows of the one table of plain HTML, as `html_rows` gives them."""
    if not bodies:
        return []
    (body,) = bodies
    head, *rows = re.findall(r"<tr[^>]*>(.*?)</tr>", body, re.DOTALL)

    def texts(row: str) -> list[str]:
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
        return [unescape(re.sub("<[^>]*>", "", cell.replace("<br>", " "))) for cell in cells]

    return [
        dict(zip(texts(head), texts(row), strict=True))
        | {"href": unescape((re.findall('href="([^"]*)"', row) or [""])[0])}
        for row in rows
    ]


def table(at: AppTest, name: str) -> Any:
    """The table with this description for screen readers."""
    (found,) = [t for t in at.dataframe if name in t.proto.alt]
    return found.value


def stores_listed(at: AppTest) -> list[str]:
    """The ids of the stores that the table opens, in its order."""
    labels = [parse_qs(urlsplit(row["href"]).query)["store"][0] for row in html_rows(at)]
    return [label.rpartition("(")[2].removesuffix(")") for label in labels]
