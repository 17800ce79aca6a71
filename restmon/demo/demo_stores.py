"""The demo stores: a database that is empty starts with some, marked as such."""

import tempfile
from pathlib import Path

from restmon.access import audit
from restmon.access.roles import THIS_MACHINE, Actor, Role
from restmon.core.instants import HOUR, as_datetime
from restmon.demo import generator
from restmon.ingest import imports, incoming_files
from restmon.storage import files
from restmon.storage.database import session, writing
from restmon.storage.demo_rows import has_demo, remove_demo
from restmon.storage.models import Import, Store, now
from restmon.storage.revisions import new_revision

STORES = 40
DAYS = 15
"""Two weeks, and the day before in which most stores' last poll before them is."""


def load_demo() -> Import | None:
    """Import the demo stores, with polls up to the last full hour, if the database is empty of
    stores; returns the import, or None."""
    with session():
        if Store.select(Store.id).exists():
            return None
    end = as_datetime(now() // HOUR * HOUR)
    with tempfile.TemporaryDirectory(prefix="restmon-demo-") as folder:
        plan = generator.DemoPlan(stores=STORES, days=DAYS, end=end, everything=True)
        generator.generate(Path(folder), plan)
        return imports.run_now(incoming_files.find_files(Path(folder)), "demo", demo=True)


def clear_demo(actor: Actor = THIS_MACHINE) -> bool:
    """Remove every trace of the demo; returns whether there was any. Raises Forbidden."""
    actor.must(Role.OPERATOR)
    if not has_demo():
        return False
    with writing():
        orphans = remove_demo()
        if orphans is None:
            return False
        new_revision(stores_changed=True, rebuild=True)
        audit.note(actor, audit.DEMO_REMOVED)
    for kind, key in orphans:
        files.delete(kind, key)
    return True
