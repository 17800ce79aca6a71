"""A wrong clock, and polls that an import accepts only with such a clock."""

import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from restmon.core.instants import SECOND
from restmon.storage import database, models
from restmon.storage.models import Store
from restmon.storage.revisions import new_revision

WORKER_CLOCK = """
import time, types
from restmon.storage import models
models.time = types.SimpleNamespace(time_ns=lambda: time.time_ns() + {seconds} * 10**9)
"""
"""A worker runs this first, so that its clock is so many seconds ahead."""


def set_ahead(monkeypatch: Any, microseconds: int) -> None:
    """Set this process's clock ahead, or behind by a negative number."""
    shifted = SimpleNamespace(time_ns=lambda: time.time_ns() + microseconds * 1000)
    monkeypatch.setattr(models, "time", shifted)


def set_clock(monkeypatch: Any, instant: int) -> None:
    """Set this process's clock to an instant, where it stands still."""
    monkeypatch.setattr(models, "time", SimpleNamespace(time_ns=lambda: instant * 1000))


def plant_polls(store_id: str, *instants: int) -> None:
    """Active polls of a store at instants (microseconds) that an import would reject."""
    times = np.array(sorted(instants), np.int64)
    status = np.ones(len(times), np.int8)
    with database.writing():
        store = Store.get_or_none(Store.store_id == store_id) or Store.create(store_id=store_id)
        database.merge_polls(np.full(len(times), store.id), times, status, status)
        new_revision(int(times[0]), stores_changed=True)


def days_before_now(days: float) -> int:
    """The instant so many days ago, on a whole second."""
    return (models.now() - round(days * 86_400) * SECOND) // SECOND * SECOND
