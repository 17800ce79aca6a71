"""The private API of Streamlit that restmon uses (seen in Streamlit 1.67).

``tests/dashboard/test_gate.py`` fails when a release changes one of these.
"""

import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from streamlit import file_util, runtime
from streamlit.runtime.pages_manager import PagesManager

STATIC_FOLDER = Path(file_util.get_static_dir())
INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def serve_navigation_only() -> None:
    """Make app.py the only one to decide which pages there are, from the first request on.

    Until `st.navigation` has run once, Streamlit would run any file of pages/ whose name is
    requested.
    """
    PagesManager.uses_pages_directory = False


def inline_script_hashes() -> list[str]:
    """Return the hashes of the inline scripts of Streamlit's page, for a security policy."""
    page = (STATIC_FOLDER / "index.html").read_bytes()
    found = (sha256(script).digest() for script in INLINE_SCRIPT.findall(page))
    return [f"'sha256-{b64encode(digest).decode()}'" for digest in found]


def cookies_of_session(session_id: str) -> Mapping[str, str] | None:
    """Return the cookies of a connected session, or None if there is no such session."""
    if not runtime.exists():
        return None
    session = runtime.get_instance()._session_mgr.get_active_session_info(session_id)
    context = None if session is None else session.client.client_context
    return None if context is None else context.cookies


def sessions_of_media(file_id: str) -> list[str]:
    """Return the ids of the sessions whose pages show the file ``/media/FILE_ID``."""
    if not runtime.exists():
        return []
    manager = runtime.get_instance().media_file_mgr
    with manager._lock:
        return [
            session_id
            for session_id, files in manager._files_by_session_and_coord.items()
            if file_id in files.values()
        ]
