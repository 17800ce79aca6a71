"""The log: one line an event, as text or as JSON.

An event has a name and values: ids, counts, durations; never a key, a password or a query.
"""

import logging
import re
import sys
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from restmon.settings import JSON_LOG, Settings, get_settings

TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LONGEST_VALUE = 400
PLAIN = re.compile(r"[^\s\"=]+")
LOUD = ("huey", "httpx", "watchdog", "waitress.queue")
"""Libraries that log each step. Only their warnings are written."""


def configure(settings: Settings | None = None) -> None:
    """Write this process's log to standard error, in the form that the settings name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter((settings or get_settings()).log_format))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for name in LOUD:
        logging.getLogger(name).setLevel(logging.WARNING)


def formatter(form: str) -> logging.Formatter:
    """The formatter of a form of the log: ``text`` or ``json``."""
    if form != JSON_LOG:
        return logging.Formatter(TEXT)
    names = {"asctime": "time", "levelname": "level", "name": "logger"}
    return JsonFormatter(TEXT, rename_fields=names, json_ensure_ascii=False)


def event(log: logging.Logger, name: str, **values: Any) -> None:
    """Log an event: as text ``name key=value …``, as JSON one field each."""
    if log.isEnabledFor(logging.INFO):
        said = {key: value for key, value in values.items() if value is not None}
        words = [f"{key}={_shown(value)}" for key, value in said.items()]
        log.info("%s", " ".join([name, *words]), extra={"event": name, **said})


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)[:LONGEST_VALUE]
    if PLAIN.fullmatch(text) and text.isprintable():
        return text
    return '"' + "".join(c if c.isprintable() and c != '"' else "?" for c in text) + '"'
