"""``make api-docs``: writes docs/API.md from the routes and their models."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import api_server  # noqa: E402
from restmon.api import api_docs, openapi  # noqa: E402

if __name__ == "__main__":
    document = openapi.document(api_server.app.routes, api_docs.SERVER)
    (ROOT / "docs" / "API.md").write_text(api_docs.write_markdown(document), encoding="utf-8")
