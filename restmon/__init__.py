"""restmon: how often, and for how long, restaurants were offline in business hours."""

import os
import sys
from importlib.util import find_spec

__version__ = "0.1.0"


def use_own_time_zones() -> None:
    """Read the rules of time zones from the `tzdata` library instead of from the system.

    A system's own are as old as its last update (a state may have changed its rules since), so two
    machines would give two reports of the same polls. ``PYTHONTZPATH`` names others.
    """
    found = find_spec("tzdata")
    if "PYTHONTZPATH" in os.environ or found is None or not found.submodule_search_locations:
        return
    (folder,) = found.submodule_search_locations
    os.environ["PYTHONTZPATH"] = os.path.join(folder, "zoneinfo")  # noqa: PTH118 - starts faster
    if zoneinfo := sys.modules.get("zoneinfo"):
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


use_own_time_zones()
# NumPy's library of linear algebra, which restmon does not use, would start a thread for each core
# that waits for work busily.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
