"""A server of restaurants, and a workspace that may ask it."""

from collections.abc import Iterator

import pytest

from restmon.polling import checks
from restmon.settings import get_settings
from tests.support.origins import Origin, origin
from tests.support.restaurants import answers
from tests.support.workspace import Workspace


@pytest.fixture(scope="module")
def server() -> Iterator[Origin]:
    with origin(answers) as made:
        yield made


@pytest.fixture
def polling(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    workspace.env["RESTMON_ALLOW_PRIVATE_POLLS"] = "127.0.0.1"
    monkeypatch.setenv("RESTMON_ALLOW_PRIVATE_POLLS", "127.0.0.1")
    monkeypatch.setattr(checks, "AGAIN_AFTER_SECONDS", 0.01)
    get_settings.cache_clear()
    yield workspace
    get_settings.cache_clear()
