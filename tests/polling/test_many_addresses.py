"""A round of the checker over as many addresses as a large chain has."""

import pytest

from restmon.polling.addresses import StoreAddress
from restmon.polling.rounds import Outcome
from restmon.storage import database
from restmon.storage.models import Poll
from tests.support.origins import Origin
from tests.support.restaurants import run_round
from tests.support.workspace import Workspace


@pytest.mark.slow
def test_14000_addresses(polling: Workspace, server: Origin):
    """Most answer, some hang, fail, redirect or are huge; the number open at once is bounded."""
    base = f"http://127.0.0.1:{server.port}"
    kinds = {7: "503", 11: "redirect", 101: "huge", 17: "loop", 2801: "hang"}

    def path(number: int) -> str:
        return next((kinds[k] for k in kinds if number % k == 0), "ok")

    addresses = [StoreAddress(f"s{n}", f"{base}/{path(n)}") for n in range(14_000)]
    outcome = run_round(addresses, f"{base}/ok")  # those that hang end last, and all fail
    bad = sum(path(n) in {"503", "loop", "hang"} for n in range(14_000))
    assert outcome == Outcome(14_000 - bad, bad)
    with database.session():
        assert Poll.select().count() == 14_000
