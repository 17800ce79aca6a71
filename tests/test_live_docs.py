"""The examples of docs/LIVE.md do what the page says."""

import json
import re
import subprocess

from restmon.storage import database
from restmon.storage.models import BusinessHours, Poll, Store
from tests.support.environment import ROOT
from tests.support.workspace import Workspace

PAGE = (ROOT / "docs" / "LIVE.md").read_text()


def test_the_requests_of_the_page(workspace: Workspace):
    workspace.start_api()
    script = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)[0]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=workspace.path,
        env={"PATH": "/usr/bin:/bin", "API": workspace.api},
        capture_output=True,
        text=True,
        check=True,
    )
    decoder, answers, text = json.JSONDecoder(), [], done.stdout
    while text:
        answer, end = decoder.raw_decode(text)
        answers.append(answer)
        text = text[end:].lstrip()
    first, again, zones, hours = answers
    assert (first["new"], first["rejected"]) == (2, 1)
    bad = first["rejections"][0]
    shown = json.dumps({name: bad[name] for name in ("index", "column", "value")})
    assert shown.rstrip("}") in PAGE
    assert (again["unchanged"], again["import_id"]) == (2, first["import_id"])
    assert (zones["new"], hours["new"]) == (1, 1)
    with database.session():
        assert Poll.select().count() == 2
        assert Store.get(Store.store_id == "17").timezone == "America/Chicago"
        assert BusinessHours.select().count() == 1
