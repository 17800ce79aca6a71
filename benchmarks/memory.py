"""The memory of a process."""

import resource
from pathlib import Path


def peak_megabytes(pid: int | None = None) -> float:
    """The most memory that a process has had; this one where none is given."""
    status = Path(f"/proc/{pid or 'self'}/status")
    if status.exists():  # getrusage counts what the parent had before this program was started
        peak = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    if pid is not None:
        return float("nan")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
