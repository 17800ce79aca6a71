"""A writer whose process is stopped in its transaction: it does not hold up the others for ever."""

import os
import signal
import subprocess
import sys

import pytest

from restmon.storage import database, models
from restmon.storage.models import Store
from tests.support.environment import ROOT
from tests.support.workspace import Workspace

STOPPED_WRITER = """
import os, signal
from restmon.errors import exit_on_error
from restmon.settings import get_settings
from restmon.storage import database, models
from restmon.storage.models import Store
from restmon.storage.postgres import connection
connection.WRITER_PAUSE_MILLISECONDS = 1000
database.configure(get_settings())
with exit_on_error(), database.explain_errors(), database.writing():
    Store.create(store_id="half")
    print("stops", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
    Store.create(store_id="the other half")
print("done")
"""


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("database_kind", ["postgres"])
def test_a_stopped_writer_loses_its_transaction(workspace: Workspace):
    """Others go on, and nothing of it is written, also when it is continued."""
    stopped = subprocess.Popen(
        [sys.executable, "-c", STOPPED_WRITER],
        cwd=ROOT,
        env={**os.environ, **workspace.env},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert stopped.stdout is not None
    assert stopped.stdout.readline() == "stops\n"
    with database.writing():  # waits for it
        Store.create(store_id="of another")
    stopped.send_signal(signal.SIGCONT)
    said, _ = stopped.communicate(timeout=120)
    assert stopped.returncode == 2
    assert said.startswith("restmon: The database postgresql://")
    assert "Check that the server runs" in said
    assert "done" not in said
    with database.session():
        assert [row.store_id for row in Store.select()] == ["of another"]
        timeout = "SHOW idle_in_transaction_session_timeout"
        assert models.database.execute_sql(timeout).fetchone() == ("0",)
