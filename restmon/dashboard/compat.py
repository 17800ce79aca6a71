"""The private API of Streamlit that restmon uses (seen in Streamlit 1.67).

``tests/dashboard/test_gate.py`` fails when a release changes one of these.
"""

import re
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from threading import Lock

from streamlit import file_util, runtime
from streamlit.runtime.memory_media_file_storage import _calculate_file_id
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from restmon.dashboard import printing

STATIC_FOLDER = Path(file_util.get_static_dir())
CLOSE_MENU = """
if (!window.closesMenu) {
  window.closesMenu = true;
  document.addEventListener("click", event => {
    if (innerWidth > 768 || !event.target.closest("[data-testid=stSidebarNavLink]")) return;
    document.querySelector("[data-testid=stSidebarCollapseButton] button")?.click();
  });
}
"""
"""The script that closes the menu after a choice on a narrow screen. Streamlit does so only where
the browser says that it is a phone, not in a narrow window or on a tablet."""
MOST_FILES = 1000
_made_files: "OrderedDict[str, set[str]]" = OrderedDict()
_made_files_lock = Lock()
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def serve_navigation_only() -> None:
    """Make app.py the only one to decide which pages there are, from the first request on.

    Until `st.navigation` has run once, Streamlit would run any file of pages/ whose name is
    requested.
    """
    PagesManager.uses_pages_directory = False


def inline_script_hashes() -> list[str]:
    """Return the hashes of the inline scripts of Streamlit's page, of `CLOSE_MENU` and of
    `printing.SCRIPT`, for a security policy."""
    page = (STATIC_FOLDER / "index.html").read_bytes()
    scripts = [*INLINE_SCRIPT.findall(page), CLOSE_MENU.encode(), printing.SCRIPT.encode()]
    found = (sha256(script).digest() for script in scripts)
    return [f"'sha256-{b64encode(digest).decode()}'" for digest in found]


def cookies_of_session(session_id: str) -> Mapping[str, str] | None:
    """Return the cookies of a connected session, or None if there is no such session."""
    if not runtime.exists():
        return None
    session = runtime.get_instance()._session_mgr.get_active_session_info(session_id)
    context = None if session is None else session.client.client_context
    return None if context is None else context.cookies


def make_on_click(make: Callable[[], bytes], kind: str, name: str) -> Callable[[], bytes]:
    """Return a function for `st.download_button` that makes a file of a type and a name when the
    button is pressed. Streamlit does not note whose such a file is; `sessions_of_media` knows it of
    the last `MOST_FILES`."""
    context = get_script_run_ctx()
    session_id = "" if context is None else context.session_id

    def make_and_note() -> bytes:
        content = make()
        file_id = _calculate_file_id(content, kind, name)
        with _made_files_lock:
            _made_files[file_id] = _made_files.pop(file_id, set()) | {session_id}
            while len(_made_files) > MOST_FILES:
                _made_files.popitem(last=False)
        return content

    return make_and_note


def sessions_of_media(file_id: str) -> list[str]:
    """Return the ids of the sessions whose pages show or made the file ``/media/FILE_ID``."""
    if not runtime.exists():
        return []
    manager = runtime.get_instance().media_file_mgr
    with _made_files_lock:
        found = list(_made_files.get(file_id, ()))
    with manager._lock:
        return found + [
            session_id
            for session_id, files in manager._files_by_session_and_coord.items()
            if file_id in files.values()
        ]
