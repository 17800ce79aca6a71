"""Runs the readers of files under atheris, which varies input by the branches that it reaches.

``make soak`` installs atheris and runs this for a bounded time (libFuzzer's -max_total_time).
"""

import sys
import warnings

import atheris

with atheris.instrument_imports(include=["restmon"]):
    from restmon.core import group_names  # noqa: F401
    from restmon.ingest import (
        csv_reader,  # noqa: F401
        preview,  # noqa: F401
        validation,  # noqa: F401
    )
    from tests.support import fuzz, hostile

KINDS = list(hostile.kinds())


def one_input(data: bytes) -> None:
    """A file: its first byte chooses the kind, and whether the kind's header stands before it."""
    if data:
        kind = KINDS[data[0] % len(KINDS)]
        header = hostile.HEADERS[kind] if data[0] & 128 else b""
        fuzz.check_file(kind, header + data[1:])


if __name__ == "__main__":
    warnings.simplefilter("error")
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
